import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarDay, distance, shortId, toUtc } from './format.ts';
import { forTenant, paths, routeOf } from './paths.ts';

const route = (path: string) => routeOf(new URL(path, 'http://house.example'));

test('the addresses of the app are these', () => {
  assert.deepEqual(
    [paths.enter(), paths.list(), paths.list('revoked'), paths.issue(), paths.issue('many'), paths.job('job_1'), paths.credential('cred_1'), paths.audit(), paths.audit({ resource: 'cred_1', from: '2026-01-01T00:00:00.000Z' }), paths.api(), paths.api('issue')],
    ['/enter', '/', '/?status=revoked', '/issue', '/issue?mode=many', '/issue?mode=many&job=job_1', '/credentials/cred_1', '/audit', '/audit?resource=cred_1&from=2026-01-01T00%3A00%3A00.000Z', '/docs/api', '/docs/api#issue'],
  );
});

test('every address that is made is read back', () => {
  assert.deepEqual(route(paths.list('issued')), { page: 'list', status: 'issued' });
  assert.deepEqual(route(paths.job('job_1')), { page: 'issue', mode: 'many', job: 'job_1' });
  assert.deepEqual(route(paths.credential('cred_ü')), { page: 'credential', id: 'cred_ü' });
  assert.deepEqual(route(paths.audit({ actor: 'user_1' })), { page: 'audit', filter: { actor: 'user_1' } });
  assert.deepEqual(route(paths.authority()), { page: 'authority' });
  assert.deepEqual(route(paths.refusals()), { page: 'refusals' });
  assert.deepEqual(route(paths.certificates({ state: 'issued', profile: '', within: '7' })), { page: 'certificates', filter: { state: 'issued', within: '7' } });
  assert.deepEqual(route(paths.certificate('cert_1')), { page: 'certificate', id: 'cert_1' });
  assert.deepEqual(route('/certificates?owner=ana'), { page: 'certificates', filter: {} });
  assert.deepEqual(route('/docs/api/'), { page: 'api' });
  assert.deepEqual(route('/credentials/%E0%A4%A'), { page: 'credential', id: '%E0%A4%A' });
  assert.deepEqual(route('/elsewhere'), { page: 'nothing' });
});

test('a chosen institution travels in every link, before the fragment', () => {
  assert.equal(forTenant('/', null), '/');
  assert.equal(forTenant('/?status=issued', 'ten_1'), '/?status=issued&tenant=ten_1');
  assert.equal(forTenant('/docs/api#issue', 'ten_1'), '/docs/api?tenant=ten_1#issue');
});

test('the day on a document does not move with the time zone', () => {
  assert.equal(calendarDay('2026-07-31T00:00:00Z', 'pt'), '31 de julho de 2026');
  assert.equal(calendarDay('no date', 'en'), 'no date');
});

test('times go out as UTC, and ids keep the end that tells them apart', () => {
  assert.match(toUtc('2026-07-31T10:00') ?? '', /^2026-07-3\d?T.*Z$|^2026-0[78]-\d\dT.*Z$/);
  assert.equal(toUtc(''), undefined);
  assert.equal(shortId('cred_01jd8x4q9zt3v5w7y9a1c3e5g7'), '…a1c3e5g7');
});

test('a distance is told in the largest unit of which there are two', () => {
  const now = Date.parse('2026-07-31T12:00:00Z');
  const told = (time: string) => distance(time, now, 'en');
  assert.deepEqual(['2026-09-30T12:00:00Z', '2026-08-02T11:00:00Z', '2026-07-31T11:30:00Z', '2026-07-31T12:00:01Z', 'never'].map(told), ['in 61 days', 'in 47 hours', '30 minutes ago', 'in 1 second', '–']);
  assert.equal(distance('2026-09-30T12:00:00Z', now, 'pt'), 'dentro de 61 dias');
});
