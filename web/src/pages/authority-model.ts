// What the pages of the authority compute: how far a life is over, how a certificate stands, what its lists say.
import type { Data } from '../api/client.ts';

export type Certificate = Data<'GET /api/v1/pki/certificates'>['items'][number];
export type Overview = Data<'GET /api/v1/pki/overview'>;
export type Environment = Overview['environments'][number];

export const PROFILES = ['server', 'client', 'service', 'shortlived', 'svid', 'db-client', 'operator', 'partner', 'edge-station', 'ocsp-responder', 'issuing', 'root'] as const;
export const REASONS = ['superseded', 'keyCompromise', 'cessationOfOperation', 'affiliationChanged', 'privilegeWithdrawn', 'unspecified'] as const;
export const WITHIN_DAYS = ['1', '7', '14', '30', '90'] as const;

const DAY_MS = 86_400_000;

/** How much of a life is over at a moment, from 0 to 1. */
export function shareOfLife(from: string, until: string, moment: number | string): number {
  const [begin, end, at] = [Date.parse(from), Date.parse(until), typeof moment === 'string' ? Date.parse(moment) : moment];
  if (!(end > begin) || Number.isNaN(at)) return 0;
  return Math.min(1, Math.max(0, (at - begin) / (end - begin)));
}

/** The word for how a certificate stands: the house says `issued`, time says whether it has ended. */
export function standingOf(one: Pick<Certificate, 'state' | 'notAfter'>, now: number): string {
  return one.state === 'issued' && Date.parse(one.notAfter) <= now ? 'expired' : one.state;
}

/** Only what services hold is revoked here: an authority falls in a ceremony. */
export const isRevocable = (one: Pick<Certificate, 'state' | 'profile'>): boolean => one.state === 'issued' && one.profile !== 'root' && one.profile !== 'issuing';

/** Of an authority's lists: how many were signed, the highest number, and when the first runs out. */
export function listsOf(lists: Environment['lists'], authority: string): { all: number; signed: number; number: number; until: string | null } {
  const own = lists.filter((one) => one.authority === authority);
  const signed = own.filter((one) => one.nextUpdate);
  const ends = signed.map((one) => one.nextUpdate ?? '').sort();
  return { all: own.length, signed: signed.length, number: Math.max(0, ...own.map((one) => one.number)), until: ends[0] ?? null };
}

/** The filters of an address and of the form as the house understands them. */
export function queryOf(filter: { state: string; profile: string; within: string }, typed: { name: string; suffix: string; owner: string }, now: number) {
  const days = Number(filter.within);
  const isLive = filter.state === 'issued' || days > 0;
  return {
    name: typed.name.trim() || undefined,
    suffix: typed.suffix.trim() || undefined,
    owner: typed.owner.trim() || undefined,
    profile: filter.profile || undefined,
    state: filter.state || (days > 0 ? 'issued' : undefined),
    // To the minute, so that a page and the next one are of one search.
    expiresAfter: isLive ? new Date(now - (now % 60_000)).toISOString() : undefined,
    expiresBefore: days > 0 ? new Date(now - (now % 60_000) + days * DAY_MS).toISOString() : undefined,
  };
}

/** A serial number or a fingerprint in pairs, as other programs show it. */
export const paired = (hex: string): string => hex.replaceAll(/(..)(?=.)/g, '$1:').toUpperCase();
