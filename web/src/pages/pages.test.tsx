import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderToStaticMarkup } from 'react-dom/server';
import { Failure } from '../api/errors.ts';
import { Chip, Problem, TextField } from '../ui/pieces.tsx';
import { addressOf, curlOf, exampleOf, groupsOf, linesOf, matching, operationsOf, type Contract } from './api-model.ts';
import { changesOf } from './change.tsx';
import { read } from './credential.tsx';
import { tokenFrom } from './enter.tsx';
import { sampleOf } from './issue.tsx';
import { isOver } from './job.tsx';

const contract: Contract = {
  paths: {
    '/api/v1/things/{id}': {
      get: { tags: ['things'], summary: 'One thing.', parameters: [{ name: 'id', in: 'path', required: true }, { name: 'tenant', in: 'query' }] },
      post: {
        tags: ['things'], summary: 'Change it.', parameters: [{ name: 'id', in: 'path', required: true }],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Change' } } } },
      },
    },
    '/api/v1/tables': { post: { tags: ['jobs'], summary: 'Hand in.', requestBody: { content: { 'text/csv': { schema: { type: 'string' } } } } } },
  },
  components: {
    schemas: {
      Change: { allOf: [{ $ref: '#/components/schemas/Base' }, { type: 'object', required: ['reason'], properties: { reason: { type: 'string', example: 'it’s wrong' } } }] },
      Base: { type: 'object', properties: { count: { type: ['integer', 'null'] }, inner: { oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/Loop' }] } } },
      Loop: { type: 'object', properties: { again: { $ref: '#/components/schemas/Loop' } } },
    },
  },
};
const operations = operationsOf(contract);

test('only a whole token counts as one', () => {
  assert.equal(tokenFrom('#once_abcdefgh1234'), 'once_abcdefgh1234');
  for (const wrong of ['', '#', '#once_', '#once_<script>', '#other_abcdefgh1234', '#once_abcdefgh/../x']) assert.equal(tokenFrom(wrong), null, wrong);
});

test('each status offers the changes it takes, and one that is final offers none', () => {
  assert.deepEqual([changesOf('issued'), changesOf('suspended'), changesOf('revoked'), changesOf('erased')], [['suspend', 'revoke'], ['reinstate', 'revoke'], [], []]);
});

test('fields are read out of any document without breaking', () => {
  assert.equal(read({ a: [{ b: 'x' }] }, '/a/0/b'), 'x');
  assert.equal(read({ a: 17 }, '/a'), '17');
  for (const document of [null, 'text', {}, { a: null }, { a: { b: {} } }]) assert.equal(read(document, '/a/b'), null);
});

test('the sample table quotes what needs it', () => {
  const column = { label: '', required: true, charactersMax: 10 };
  assert.equal(sampleOf({ columns: [{ ...column, name: 'name', example: 'Silva, Ana "Nita"' }, { ...column, name: 'date', example: '2026-07-31' }] }), 'name,date\r\n"Silva, Ana ""Nita""",2026-07-31\r\n');
});

test('a job is over when nothing more will happen', () => {
  assert.deepEqual(['queued', 'running', 'done', 'failed', 'cancelled'].map((state) => isOver({ state })), [false, false, true, true, true]);
});

test('a status is told by word and mark, also one that came later', () => {
  assert.match(renderToStaticMarkup(<Chip family="status" value="revoked" />), /<svg.*Revoked/);
  assert.match(renderToStaticMarkup(<Chip family="status" value="archived" />), /archived/);
});

test('a failure shows cause, remedy, places and the id to ask about, and never as markup', () => {
  const text = renderToStaticMarkup(<Problem failure={new Failure('X_Y', 'It broke <b>.', 'Run `selo doctor`.', 422, [{ field: '/row/name', code: 'Z', message: 'Too long.' }], 'req_1')} />);
  for (const part of ['role="alert"', 'It broke &lt;b&gt;.', '<code>selo doctor</code>', '/row/name', 'Too long.', 'X_Y', 'req_1']) assert.ok(text.includes(part), part);
});

test('a wrong field is tied to its sentence', () => {
  const text = renderToStaticMarkup(<TextField label="Name" wrong="Fill this in." defaultValue="" />);
  const id = /id="([^"]+)-wrong"/.exec(text)?.[1] ?? 'none';
  assert.ok(text.includes(`aria-describedby="${id}-wrong"`) && text.includes('aria-invalid="true"') && text.includes(`for="${id}"`));
});

test('operations stand in groups and are found by every word', () => {
  assert.deepEqual(groupsOf(operations).map(([group, inside]) => [group, inside.length]), [['things', 2], ['jobs', 1]]);
  assert.deepEqual(matching(operations, 'post things').map((one) => one.anchor), ['post-things-id']);
  assert.deepEqual(matching(operations, 'nothing of the kind'), []);
});

test('a body begins with an example, and a schema that holds itself ends', () => {
  const example = exampleOf(contract, { $ref: '#/components/schemas/Change' }) as Record<string, unknown>;
  assert.equal(example.reason, 'it’s wrong');
  assert.equal(example.count, 0);
  assert.ok(linesOf(contract, { $ref: '#/components/schemas/Change' }).length < 20);
});

test('the command carries the same request, quoted for a shell, and no session', () => {
  const change = operations.find((one) => one.anchor === 'post-things-id');
  assert.ok(change);
  const target = addressOf(change, { id: 'a b' });
  assert.equal(target, '/api/v1/things/a%20b');
  assert.equal(curlOf(change, target, `{"reason":"it's"}`), `curl -X POST '/api/v1/things/a%20b' -H "Authorization: Bearer $SELO_API_KEY" -H 'Content-Type: application/json' -d '{"reason":"it'\\''s"}'`);
});
