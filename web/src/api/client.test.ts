import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { House } from '../../mock/house.ts';
import { address, call, onUnknownCaller } from './client.ts';
import { Failure, failureOfThrown, messageFor } from './errors.ts';

let house = new House();
const seen: Request[] = [];

beforeEach(() => {
  house = new House({ credentials: 12, signedIn: true });
  seen.length = 0;
  onUnknownCaller(() => {});
  globalThis.fetch = async (input, init) => {
    const request = new Request(new URL(String(input), 'http://house.example'), init);
    seen.push(request.clone());
    return (await house.answer(request)) ?? new Response('no such address', { status: 404 });
  };
});

const failure = async (promise: Promise<unknown>): Promise<Failure> => {
  const thrown: unknown = await promise.then(() => null, (error: unknown) => error);
  assert.ok(thrown instanceof Failure);
  return thrown;
};

test('ids are escaped, and empty parameters are left out', () => {
  assert.equal(address('GET /api/v1/credentials/{id}', { path: { id: 'a/b' }, query: { tenant: undefined } }), '/api/v1/credentials/a%2Fb');
  assert.equal(address('GET /api/v1/credentials', { query: { status: 'issued', email: '', limit: 5 } }), '/api/v1/credentials?status=issued&limit=5');
});

test('a one-time token travels in the body, works once and opens a session', async () => {
  house.signedIn = false;
  const session = await call('POST /api/v1/session', { body: { token: 'once_abcdefgh' } });
  assert.equal(session.tenant?.name, 'Universidade de São Tomé e Príncipe');
  assert.equal(new URL(seen[0]?.url ?? '').search, '');
  assert.equal((await failure(call('POST /api/v1/session', { body: { token: 'once_abcdefgh' } }))).status, 401);
});

test('a list comes in pages until the token ends', async () => {
  const first = await call('GET /api/v1/credentials', { query: { limit: 8 } });
  const second = await call('GET /api/v1/credentials', { query: { limit: 8, pageToken: first.nextPageToken ?? undefined } });
  assert.deepEqual([first.items.length, second.items.length, second.nextPageToken], [8, 4, undefined]);
});

test('a change answers the credential as it stands now', async () => {
  const [one] = (await call('GET /api/v1/credentials', { query: { status: 'issued' } })).items;
  assert.ok(one);
  const after = await call('POST /api/v1/credentials/{id}/revoke', { path: { id: one.id }, body: { reason: 'wrong person' } });
  assert.equal(after.status, 'revoked');
  const refused = await failure(call('POST /api/v1/credentials/{id}/reinstate', { path: { id: one.id }, body: { reason: 'conflict' } }));
  assert.deepEqual([refused.status, refused.code], [409, 'STATUS_TRANSITION']);
  assert.notEqual(refused.remedy, '');
});

test('a refused field has its own sentence, and the request its id', async () => {
  const refused = await failure(call('POST /api/v1/credentials', { body: { template: 'diploma', row: { name: 'Ana \u{1F600}' } }, idempotencyKey: 'k1' }));
  assert.match(messageFor(refused, 'name') ?? '', /\u{1F600}/u);
  assert.equal(messageFor(refused, 'email'), null);
  assert.match(refused.requestId ?? '', /^req_/);
  assert.equal(seen[0]?.headers.get('idempotency-key'), 'k1');
});

test('a table goes out as it is and its job comes to an end with the failed line named', async () => {
  const job = await call('POST /api/v1/batches', { query: { template: 'diploma' }, body: new Blob(['name,degree,date\nAna,Direito,2026-07-31\nRui,Direito,31/07/2026\n']), contentType: 'text/csv' });
  const over = await call('GET /api/v1/jobs/{id}', { path: { id: job.id } });
  assert.deepEqual([over.state, over.done, over.failed], ['done', 2, 1]);
  const rows = await call('GET /api/v1/jobs/{id}/rows', { path: { id: job.id }, query: { outcome: 'failed' } });
  assert.deepEqual(rows.items.map((one) => [one.line, one.error?.field]), [[3, 'date']]);
  assert.equal(seen[0]?.headers.get('content-type'), 'text/csv');
});

test('bytes come as bytes', async () => {
  const [one] = (await call('GET /api/v1/credentials', {})).items;
  const proof = await call('GET /api/v1/audit/proof/{id}', { path: { id: one?.id ?? '' } });
  assert.match(await proof.text(), /^c2sp\.org\/tlog-proof@v1/);
});

test('a session that ended is told once, but not for a wrong link', async () => {
  house.signedIn = false;
  let told = 0;
  onUnknownCaller(() => { told += 1; });
  await failure(call('POST /api/v1/session', { body: { token: 'once_expired1' } }));
  assert.equal(told, 0);
  await failure(call('GET /api/v1/credentials', {}));
  assert.equal(told, 1);
});

test('an answer that is no envelope and a house that is away have a cause and a remedy too', async () => {
  globalThis.fetch = async () => new Response('<h1>Bad gateway</h1>', { status: 502 });
  const unreadable = await failure(call('GET /api/v1/credentials', {}));
  assert.deepEqual([unreadable.code, unreadable.remedy.length > 0], ['HTTP_502', true]);
  globalThis.fetch = async () => { throw new TypeError('connection refused'); };
  assert.equal((await failure(call('GET /api/v1/credentials', {}))).code, 'UNREACHABLE');
  assert.equal(failureOfThrown(new RangeError('x'), 'pt').code, 'UNEXPECTED');
});
