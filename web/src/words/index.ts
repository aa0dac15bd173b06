// Which language the person reads, and how a key becomes a sentence. The choice lives in the cookie `selo-lang`, so
// that the server-rendered pages and the house's error texts follow it.
import { useSyncExternalStore } from 'react';
import { en, type Key } from './en.ts';
import { pt } from './pt.ts';

export type { Key };
export type Lang = 'en' | 'pt';
export const LANGS: readonly Lang[] = ['pt', 'en'];
export const LANG_NAMES: Record<Lang, string> = { pt: 'Português', en: 'English' };
export const catalogues: Record<Lang, Record<Key, string>> = { en, pt };

const COOKIE = 'selo-lang';
const YEAR_SECONDS = 31_536_000;

export type Translate = (key: Key, values?: Record<string, string | number>) => string;

const made = new Map<Lang, Translate>();

export function translate(lang: Lang): Translate {
  const known = made.get(lang);
  if (known) return known;
  const t: Translate = (key, values) =>
    catalogues[lang][key].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values?.[name] ?? whole));
  made.set(lang, t);
  return t;
}

/** Whether a word made at run time (a status, an event) has a sentence. */
export const isKey = (text: string): text is Key => Object.hasOwn(en, text);

export function langFrom(cookies: string, wished: readonly string[]): Lang {
  const kept = /(?:^|;\s*)selo-lang=(pt|en)(?:;|$)/.exec(cookies)?.[1];
  if (kept === 'pt' || kept === 'en') return kept;
  for (const one of wished) {
    if (/^pt\b/i.test(one)) return 'pt';
    if (/^en\b/i.test(one)) return 'en';
  }
  return 'en';
}

let chosen: Lang =
  typeof document === 'undefined' ? 'en' : langFrom(document.cookie, navigator.languages);
const listeners = new Set<() => void>();

export const currentLang = (): Lang => chosen;

export function chooseLang(lang: Lang): void {
  chosen = lang;
  if (typeof document !== 'undefined') {
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${COOKIE}=${lang}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
    document.documentElement.lang = lang;
  }
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useLang = (): Lang => useSyncExternalStore(subscribe, currentLang, currentLang);
export const useT = (): Translate => translate(useLang());
