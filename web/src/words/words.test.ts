import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogues, isKey, langFrom, translate } from './index.ts';

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();
const src = join(process.cwd(), 'src');
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.|words\//.test(name))
  .map((name) => readFileSync(join(src, name), 'utf8'))
  .join('\n');

test('both languages have exactly the same keys, none empty', () => {
  assert.deepEqual(Object.keys(catalogues.pt).sort(), Object.keys(catalogues.en).sort());
  for (const catalogue of Object.values(catalogues)) for (const [key, text] of Object.entries(catalogue)) assert.notEqual(text.trim(), '', key);
});

test('a sentence has the same holes in both languages', () => {
  for (const [key, text] of Object.entries(catalogues.en)) {
    assert.ok(isKey(key));
    assert.deepEqual(holes(catalogues.pt[key]), holes(text), key);
  }
});

test('every sentence is used', () => {
  const families = /^(status|outcome|job|event|api\.group|api\.in|change|issue\.mode|job\.rows|certs\.state|happened|pki\.authority|reason|standing)\./;
  const unused = Object.keys(catalogues.en).filter((key) => !families.test(key) && !sources.includes(`'${key}'`) && !sources.includes(`"${key}"`));
  assert.deepEqual(unused, []);
});

test('every fact that the logs hold has a name for people', () => {
  const facts = readFileSync(join(process.cwd(), '..', 'docs', 'facts.md'), 'utf8');
  const names = [...facts.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \|/gm)].map(([, name]) => name).filter((name) => !name?.startsWith('log.'));
  assert.ok(names.length > 40);
  assert.deepEqual(names.filter((name) => !isKey(`event.${name}`)), []);
});

test('values fill the holes, and a hole without a value stays visible', () => {
  const t = translate('en');
  assert.equal(t('job.progress', { done: 3, total: 5 }), '3 of 5 lines');
  assert.equal(t('job.progress', { done: 3 }), '3 of {total} lines');
});

test('the kept choice wins over the browser, and English is the last resort', () => {
  assert.equal(langFrom('a=b; selo-lang=pt', ['en']), 'pt');
  assert.equal(langFrom('selo-lang=xx', ['pt-BR', 'en']), 'pt');
  assert.equal(langFrom('', ['fr', 'en-GB']), 'en');
  assert.equal(langFrom('', ['fr']), 'en');
});
