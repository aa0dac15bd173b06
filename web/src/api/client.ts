// A typed call for every operation of the contract: `call('GET /api/v1/jobs/{id}', { path: { id } })`. It opens the
// house's envelope and turns every failure into one `Failure`. It never keeps a token: the session is a cookie that
// scripts cannot read.
import { currentLang } from '../words/index.ts';
import { failureOf, failureOfThrown, isAbort } from './errors.ts';
import type { Operations } from './schema.d.ts';

export type Operation = keyof Operations;
export type Data<O extends Operation> = Operations[O]['data'];
type Empty = Record<never, never>;
type Part<Name extends string, T> = T extends undefined
  ? unknown
  : Empty extends T
    ? { [K in Name]?: { [P in keyof T]?: T[P] | undefined } }
    : { [K in Name]: { [P in keyof T]: T[P] | undefined } };
export type Input<O extends Operation> = Part<'path', Operations[O]['path']> &
  Part<'query', Operations[O]['query']> &
  Part<'body', Operations[O]['body']> & { signal?: AbortSignal; idempotencyKey?: string; contentType?: string };

interface AnyInput {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
  idempotencyKey?: string;
  contentType?: string;
}

let whenUnknown: () => void = () => {};
/** Called whenever the house does not know who is asking: the session ended. */
export const onUnknownCaller = (listener: () => void): void => {
  whenUnknown = listener;
};

/** The address of an operation, for links and pictures. */
export function address(operation: Operation, input: Pick<AnyInput, 'path' | 'query'> = {}): string {
  const template = operation.slice(operation.indexOf(' ') + 1);
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input.path?.[name] ?? '')));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export async function call<O extends Operation>(operation: O, input: Input<O>): Promise<Data<O>> {
  const { path, query, body, signal, idempotencyKey, contentType } = input as AnyInput;
  const lang = currentLang();
  const headers = new Headers({ accept: 'application/json, */*;q=0.5', 'accept-language': lang });
  const init: RequestInit = { method: operation.slice(0, operation.indexOf(' ')), headers, credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (idempotencyKey) headers.set('idempotency-key', idempotencyKey);
  if (body !== undefined) {
    const json = !contentType;
    headers.set('content-type', contentType ?? 'application/json');
    init.body = json ? JSON.stringify(body) : (body as BodyInit);
  }
  let response: Response;
  try {
    response = await fetch(address(operation, { path: path ?? {}, query: query ?? {} }), init);
  } catch (thrown) {
    throw isAbort(thrown) ? thrown : failureOfThrown(thrown, lang);
  }
  if (response.status === 401 && operation !== 'POST /api/v1/session') whenUnknown();
  // 202 without JSON is the log's word for "not merged yet".
  const json = (response.headers.get('content-type') ?? '').includes('json');
  if (!response.ok || (response.status === 202 && !json)) throw await failureOf(response, lang);
  if (!json || /\.json$/.test(address(operation, { path: path ?? {} }))) return (await response.blob()) as Data<O>;
  const envelope = (await response.json()) as { data: Data<O> };
  return envelope.data;
}
