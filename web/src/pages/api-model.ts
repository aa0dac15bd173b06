// What the API reference shows, made from the contract: groups of operations with their parameters, an example of
// the body, and the request as a command. Pure, so that it can be tested without a page.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  example?: unknown;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
}
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema?: Schema;
}
interface RawOperation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema?: Schema; example?: unknown }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}
export interface Contract {
  info?: { title?: string; version?: string; description?: string };
  paths: Record<string, Record<string, RawOperation>>;
  components?: { schemas?: Record<string, Schema> };
}
export interface Operation {
  anchor: string;
  method: string;
  path: string;
  group: string;
  summary: string;
  description: string;
  parameters: Parameter[];
  body: { type: string; schema: Schema | null; example: string } | null;
  answers: { status: string; type: string; schema: Schema | null }[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const DEPTH_MAX = 12;

export function operationsOf(contract: Contract): Operation[] {
  return Object.entries(contract.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const raw = item[method];
      return raw ? [operation(contract, path, method, raw)] : [];
    }),
  );
}

function operation(contract: Contract, path: string, method: string, raw: RawOperation): Operation {
  const [type, content] = Object.entries(raw.requestBody?.content ?? {})[0] ?? [];
  const schema = content?.schema ?? null;
  const made = content?.example ?? (schema ? exampleOf(contract, schema) : '');
  return {
    // Made of method and path, which are unique in a contract; operation ids of several rooms may meet.
    anchor: `${method}${path.replace('/api/v1', '').replaceAll(/\W+/g, '-').replace(/-$/, '')}`,
    method: method.toUpperCase(),
    path,
    group: raw.tags?.[0] ?? '',
    summary: raw.summary ?? '',
    description: raw.description ?? '',
    parameters: raw.parameters ?? [],
    body: type ? { type, schema, example: type.includes('json') ? JSON.stringify(made, null, 2) : '' } : null,
    answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => {
      const [media = '', inner] = Object.entries(answer.content ?? {})[0] ?? [];
      return { status, type: media, schema: inner?.schema ?? null };
    }),
  };
}

export function groupsOf(operations: Operation[]): [string, Operation[]][] {
  const groups = new Map<string, Operation[]>();
  for (const one of operations) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups];
}

export function matching(operations: Operation[], text: string): Operation[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter((one) => {
    const whole = `${one.method} ${one.path} ${one.summary} ${one.group}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/** Follows references and joins `allOf`; a schema that holds itself ends at a depth. */
export function resolved(contract: Contract, schema: Schema, depth = 0): Schema {
  if (depth > DEPTH_MAX) return {};
  if (schema.$ref) {
    const inner = contract.components?.schemas?.[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)];
    return inner ? resolved(contract, inner, depth + 1) : {};
  }
  if (schema.allOf) {
    const parts = schema.allOf.map((one) => resolved(contract, one, depth + 1));
    return {
      type: 'object',
      properties: Object.assign({}, ...parts.map((one) => one.properties ?? {})) as Record<string, Schema>,
      required: parts.flatMap((one) => one.required ?? []),
    };
  }
  const choice = (schema.oneOf ?? schema.anyOf)?.find((one) => one.type !== 'null');
  return choice ? resolved(contract, choice, depth + 1) : schema;
}

export const typeOf = (schema: Schema): string => {
  const types = (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []).filter((one) => one !== 'null');
  return types[0] ?? (schema.properties ? 'object' : '');
};

export function exampleOf(contract: Contract, given: Schema, depth = 0): unknown {
  if (given.example !== undefined) return given.example;
  const schema = resolved(contract, given, depth);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (depth > DEPTH_MAX) return null;
  switch (typeOf(schema)) {
    case 'object':
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, exampleOf(contract, inner, depth + 1)]));
    case 'array':
      return schema.items ? [exampleOf(contract, schema.items, depth + 1)] : [];
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return true;
    case 'string':
      return schema.format === 'date-time' ? '2026-07-31T10:00:00Z' : '';
    default:
      return null;
  }
}

export interface Line {
  name: string;
  depth: number;
  type: string;
  required: boolean;
  description: string;
}

/** The fields of a schema as lines, the inner ones deeper. */
export function linesOf(contract: Contract, given: Schema, depth = 0): Line[] {
  const schema = resolved(contract, given);
  if (depth > 4) return [];
  if (typeOf(schema) === 'array') return schema.items ? linesOf(contract, schema.items, depth) : [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const target = resolved(contract, inner);
    const kind = typeOf(target);
    const items = kind === 'array' && target.items ? resolved(contract, target.items) : null;
    const line: Line = {
      name,
      depth,
      type: items ? `${typeOf(items)}[]` : kind,
      required: schema.required?.includes(name) ?? false,
      description: inner.description ?? target.description ?? '',
    };
    return [line, ...linesOf(contract, target, depth + 1)];
  });
}

/** The address with the person's values; an empty query parameter is left out. */
export function addressOf(one: Operation, values: Record<string, string>): string {
  const path = one.path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => (values[name] ? encodeURIComponent(values[name]) : whole));
  const query = new URLSearchParams();
  for (const parameter of one.parameters) {
    const value = values[parameter.name];
    if (parameter.in === 'query' && value) query.set(parameter.name, value);
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The same request for a terminal; the session stays in the browser, a program brings its own key. */
export function curlOf(one: Operation, address: string, body: string): string {
  const parts = ['curl', ...(one.method === 'GET' ? [] : ['-X', one.method]), quoted(address), '-H', `"Authorization: Bearer $SELO_API_KEY"`];
  if (one.body) parts.push('-H', quoted(`Content-Type: ${one.body.type}`), one.body.type.includes('json') ? '-d' : '--data-binary', quoted(body));
  return parts.join(' ');
}
