// The one place that knows how a failure looks. The house answers in the caller's language with a code, a cause and
// a remedy; what never reached the house gets the same three parts here. No page reads a status or a body itself.
import { translate, type Lang } from '../words/index.ts';

export interface ErrorDetail {
  field: string;
  code: string;
  message: string;
}

export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string,
    readonly status: number,
    readonly details: ErrorDetail[] = [],
    readonly requestId: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Reads an answer that is not a success, whatever its body. */
export async function failureOf(response: Response, lang: Lang): Promise<Failure> {
  const t = translate(lang);
  const body: unknown = await response.json().catch(() => null);
  const outer = (body ?? {}) as Record<string, unknown>;
  const error = (outer.error ?? {}) as Record<string, unknown>;
  const details = Array.isArray(error.details) ? (error.details as Record<string, unknown>[]) : [];
  const retry = Number(response.headers.get('retry-after'));
  return new Failure(
    text(error.code) || `HTTP_${response.status}`,
    text(error.message) || t('error.unreadable', { status: response.status }),
    text(error.remedy) || t('error.unreadable.remedy'),
    response.status,
    details.map((one) => ({ field: text(one.field), code: text(one.code), message: text(one.message) })),
    text(outer.requestId) || response.headers.get('x-request-id'),
    Number.isFinite(retry) && retry > 0 ? retry : null,
  );
}

/** The house was not reached, or something of ours broke. */
export function failureOfThrown(thrown: unknown, lang: Lang): Failure {
  if (thrown instanceof Failure) return thrown;
  const t = translate(lang);
  if (thrown instanceof TypeError) return new Failure('UNREACHABLE', t('error.unreachable'), t('error.unreachable.remedy'), 0);
  return new Failure('UNEXPECTED', t('error.unexpected'), t('error.unexpected.remedy'), 0);
}

export const isAbort = (thrown: unknown): boolean => thrown instanceof DOMException && thrown.name === 'AbortError';

/** The sentence for a field of a form; fields come as `/row/email` or `email`. */
export function messageFor(failure: Failure | null, field: string): string | null {
  return failure?.details.find((one) => one.field === field || one.field.endsWith(`/${field}`))?.message ?? null;
}
