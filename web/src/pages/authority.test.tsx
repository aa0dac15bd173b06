import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';
import { isRevocable, listsOf, paired, queryOf, shareOfLife, standingOf, type Overview } from './authority-model.ts';
import { Life, Whole } from './authority.tsx';
import { fileName } from './certificate.tsx';
import { Row } from './refusals.tsx';

const NOW = Date.parse('2026-07-31T12:00:30Z');

test('a life is over by as much as of its time has passed, and never by more than all', () => {
  const share = (moment: string) => shareOfLife('2026-01-01T00:00:00Z', '2026-01-11T00:00:00Z', moment);
  assert.deepEqual(['2025-12-31T00:00:00Z', '2026-01-03T00:00:00Z', '2027-01-01T00:00:00Z', 'never'].map(share), [0, 0.2, 1, 0]);
  assert.equal(shareOfLife('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', NOW), 0);
});

test('a certificate that time has ended is told as ended, one that was revoked as revoked', () => {
  assert.equal(standingOf({ state: 'issued', notAfter: '2026-07-31T12:00:31Z' }, NOW), 'issued');
  assert.equal(standingOf({ state: 'issued', notAfter: '2026-07-31T12:00:30Z' }, NOW), 'expired');
  assert.equal(standingOf({ state: 'revoked', notAfter: '2020-01-01T00:00:00Z' }, NOW), 'revoked');
});

test('only what is in force and belongs to a service can be revoked here', () => {
  const offered = [['issued', 'server'], ['issued', 'root'], ['issued', 'issuing'], ['revoked', 'server'], ['planned', 'server']].map(([state = '', profile = '']) => isRevocable({ state, profile }));
  assert.deepEqual(offered, [true, false, false, false, false]);
});

test('of several lists the highest number and the first end count, and only those of the authority', () => {
  const list = (authority: string, number: number, nextUpdate: string | null) => ({ authority, shard: 0, number, thisUpdate: null, nextUpdate });
  const lists = [list('a', 3, '2026-08-02T00:00:00Z'), list('a', 7, '2026-08-01T00:00:00Z'), list('a', 0, null), list('b', 99, '2026-01-01T00:00:00Z')];
  assert.deepEqual(listsOf(lists, 'a'), { all: 3, signed: 2, number: 7, until: '2026-08-01T00:00:00Z' });
  assert.deepEqual(listsOf([], 'a'), { all: 0, signed: 0, number: 0, until: null });
});

test('what is in force has not ended, and an end within days is asked for from the same minute on', () => {
  const nothing = { name: ' ', suffix: '', owner: '' };
  assert.deepEqual(queryOf({ state: '', profile: '', within: '' }, nothing, NOW), { name: undefined, suffix: undefined, owner: undefined, profile: undefined, state: undefined, expiresAfter: undefined, expiresBefore: undefined });
  const within = queryOf({ state: '', profile: 'server', within: '7' }, { ...nothing, name: ' db. ' }, NOW);
  assert.deepEqual([within.name, within.profile, within.state, within.expiresAfter, within.expiresBefore], ['db.', 'server', 'issued', '2026-07-31T12:00:00.000Z', '2026-08-07T12:00:00.000Z']);
  assert.equal(queryOf({ state: 'issued', profile: '', within: '' }, nothing, NOW).expiresAfter, '2026-07-31T12:00:00.000Z');
  assert.equal(queryOf({ state: 'revoked', profile: '', within: '' }, nothing, NOW).expiresAfter, undefined);
});

test('the bar of a life says in words what it shows', () => {
  const young = renderToStaticMarkup(<Life from="2026-07-01T00:00:00Z" renew="2026-08-30T00:00:00Z" until="2026-09-29T00:00:00Z" now={NOW} />);
  assert.match(young, /role="img".*aria-label="34 % of this life is over; to be renewed from .*ends on .*2026"/);
  assert.match(young, /data-late="young"/);
  assert.match(renderToStaticMarkup(<Life from="2026-05-01T00:00:00Z" renew="2026-07-01T00:00:00Z" until="2026-08-01T00:00:00Z" now={NOW} />), /data-late="due"/);
});

test('a house without an authority says how one is made', () => {
  const empty: Overview = { environments: [], log: { name: 'ca', size: 1 } };
  assert.match(renderToStaticMarkup(<Whole overview={empty} now={NOW} />), /selo pki init --out ca/);
});

test('a refusal shows what the house says and never as markup', () => {
  const one = { fact: 'evt_1', at: '2026-07-31T12:00:00Z', actor: 'user_1', code: 'PKI_X', message: 'No <b>.', remedy: 'Ask.', profile: null, request: 'req_1', index: 7 };
  const text = renderToStaticMarkup(<table><tbody><Row one={one} /></tbody></table>);
  for (const part of ['No &lt;b&gt;.', 'Ask.', 'PKI_X', 'entry 7 of the log', '/audit?resource=req_1']) assert.ok(text.includes(part), part);
});

test('numbers stand in pairs, and a file has a name that every system takes', () => {
  assert.equal(paired('00ff1a'), '00:FF:1A');
  assert.deepEqual(['db.internal', '*.test', 'spiffe://a/b', '…'].map(fileName), ['db.internal', 'test', 'spiffe_a_b', 'certificate']);
});
