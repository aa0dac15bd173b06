// Makes src/api/schema.d.ts from the committed contract: one entry per operation with its parameters, its body and
// what stands in `data`. A construct it does not know stops it, so that no type is ever guessed.
// `--check` compares instead of writing. SELO_OPENAPI names another contract.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export function generate(contract) {
  const schemas = contract.components?.schemas ?? {};
  const lines = [
    '// Made by `npm run client` from openapi/selo.json. Do not edit.',
    '',
    'export interface Schemas {',
  ];
  for (const name of Object.keys(schemas).sort()) lines.push(`  ${key(name)}: ${type(schemas[name], 1)};`);
  lines.push('}', '', 'export interface Operations {');
  for (const [path, item] of Object.entries(contract.paths).sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const method of METHODS.filter((method) => item[method])) {
      const operation = item[method];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      lines.push(
        ...(operation.summary ? [`  /** ${operation.summary.replaceAll('*/', '*\\/').replaceAll('\n', ' ')} */`] : []),
        `  ${JSON.stringify(`${method.toUpperCase()} ${path}`)}: {`,
        `    path: ${members(parameters.filter((one) => one.in === 'path'))};`,
        `    query: ${members(parameters.filter((one) => one.in === 'query'))};`,
        `    body: ${body(operation.requestBody)};`,
        `    data: ${data(operation.responses, schemas)};`,
        '  };',
      );
    }
  }
  lines.push('}', '');
  return lines.join('\n');
}

function members(parameters) {
  if (parameters.length === 0) return 'Record<never, never>';
  const text = parameters.map((one) => `${key(one.name)}${one.required ? '' : '?'}: ${type(one.schema, 2)}`);
  return `{ ${text.join('; ')} }`;
}

function body(request) {
  if (!request) return 'undefined';
  const json = request.content['application/json'];
  return json ? type(json.schema, 2) : 'string | Blob';
}

function data(responses, schemas) {
  const status = Object.keys(responses).filter((one) => one.startsWith('2')).sort()[0];
  let schema = responses[status]?.content?.['application/json']?.schema;
  if (!schema) return 'Blob';
  if (schema.$ref) schema = schemas[named(schema.$ref)];
  return schema.properties?.data ? type(schema.properties.data, 2) : type(schema, 2);
}

function type(schema, depth) {
  if (schema === true || Object.keys(schema).every((word) => ['description', 'example', 'default'].includes(word))) return 'unknown';
  if (schema.$ref) return `Schemas[${JSON.stringify(named(schema.$ref))}]`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.allOf) return schema.allOf.map((one) => type(one, depth)).join(' & ');
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return choice.map((one) => type(one, depth)).join(' | ');
  const kinds = Array.isArray(schema.type) ? schema.type : [schema.type];
  return kinds.map((kind) => single(kind, schema, depth)).join(' | ');
}

function single(kind, schema, depth) {
  switch (kind) {
    case 'null':
      return 'null';
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `(${type(schema.items ?? {}, depth)})[]`;
    case 'object':
      return record(schema, depth);
    default:
      throw new Error(`The contract holds a construct that this generator does not know: ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

function record(schema, depth) {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) {
    const more = schema.additionalProperties;
    return `Record<string, ${more && more !== true ? type(more, depth) : 'unknown'}>`;
  }
  const required = new Set(schema.required ?? []);
  const space = '  '.repeat(depth + 1);
  const text = entries.map(([name, inner]) => `${space}${key(name)}${required.has(name) ? '' : '?'}: ${type(inner, depth + 1)};`);
  return `{\n${text.join('\n')}\n${'  '.repeat(depth)}}`;
}

const named = (reference) => reference.replace('#/components/schemas/', '');
const key = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

if (process.argv[1] === here('client.mjs')) {
  const source = process.env.SELO_OPENAPI ?? here('../../openapi/selo.json');
  const target = here('../src/api/schema.d.ts');
  const check = process.argv.includes('--check');
  if (!existsSync(source)) {
    console.error(`There is no contract at ${source}. Make it with \`cargo xtask openapi\`.`);
    process.exit(check ? 0 : 2);
  }
  const text = generate(JSON.parse(readFileSync(source, 'utf8')));
  if (!check) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('src/api/schema.d.ts does not fit the contract. Run `npm run client`.');
    process.exit(1);
  }
}
