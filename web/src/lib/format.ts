// How times, numbers and ids are written for people.
import type { Lang } from '../words/index.ts';

const LOCALE: Record<Lang, string> = { en: 'en-GB', pt: 'pt-PT' };

export function day(time: string | null | undefined, lang: Lang): string {
  const moment = time ? new Date(time) : null;
  if (!moment || Number.isNaN(moment.getTime())) return '–';
  return new Intl.DateTimeFormat(LOCALE[lang], { day: 'numeric', month: 'short', year: 'numeric' }).format(moment);
}

/** The day that a document names, whatever the reader's time zone. */
export function calendarDay(time: string, lang: Lang): string {
  const moment = new Date(time);
  if (Number.isNaN(moment.getTime())) return time;
  return new Intl.DateTimeFormat(LOCALE[lang], { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(moment);
}

export function instant(time: string | null | undefined, lang: Lang): string {
  const moment = time ? new Date(time) : null;
  if (!moment || Number.isNaN(moment.getTime())) return '–';
  return new Intl.DateTimeFormat(LOCALE[lang], { dateStyle: 'medium', timeStyle: 'medium' }).format(moment);
}

const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]] as const;

/** How far a moment is from now: `in 61 days`. Fewer than two of a unit are told in the next smaller one. */
export function distance(time: string, now: number, lang: Lang): string {
  const seconds = (Date.parse(time) - now) / 1_000;
  if (Number.isNaN(seconds)) return '–';
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= 2 * length) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(LOCALE[lang]).format(Math.trunc(seconds / size), unit);
}

export const number = (value: number, lang: Lang): string => new Intl.NumberFormat(LOCALE[lang]).format(value);

/** The value of a `datetime-local` field as RFC 3339 UTC, or nothing. */
export function toUtc(local: string): string | undefined {
  const moment = new Date(local);
  return local && !Number.isNaN(moment.getTime()) ? moment.toISOString() : undefined;
}

/** RFC 3339 as the value of a `datetime-local` field. */
export function toLocal(utc: string | undefined): string {
  const moment = utc ? new Date(utc) : null;
  if (!moment || Number.isNaN(moment.getTime())) return '';
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The end of an id is what tells two apart. */
export const shortId = (id: string): string => (id.length > 16 ? `…${id.slice(-8)}` : id);

/** Hands bytes to the person as a file. */
export function save(bytes: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
