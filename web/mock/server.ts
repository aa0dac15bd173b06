// Puts the mock house in front of Vite's own server.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { House } from './house.ts';

const CREDENTIALS = 64;
const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** `SELO_MOCK=empty` gives a house that has issued nothing. */
export function mock() {
  const house = new House({ credentials: process.env.SELO_MOCK === 'empty' ? 0 : CREDENTIALS });
  return async (incoming: IncomingMessage, outgoing: ServerResponse, next: (error?: unknown) => void): Promise<void> => {
    try {
      if (!/^\/(api\/|openapi\.json)/.test(incoming.url ?? '')) return next();
      const answer = await house.answer(await requestOf(incoming));
      if (!answer) return next();
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
      outgoing.end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      next(error);
    }
  };
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error('The mock takes no more than 8 MiB.');
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) if (typeof value === 'string') headers.set(name, value);
  const init: RequestInit = { method: incoming.method ?? 'GET', headers };
  if (size > 0) init.body = Buffer.concat(chunks);
  return new Request(`http://mock${incoming.url ?? '/'}`, init);
}
