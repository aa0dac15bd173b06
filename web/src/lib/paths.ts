// Every address of the app is made and read here, and nowhere else. Ids may stand in an address; a person's name or
// e-mail address never does.
export interface AuditFilter {
  actor?: string;
  resource?: string;
  correlationId?: string;
  from?: string;
  to?: string;
}

/** `within` is a number of days. What can be personal, a name or an owner, is not among them. */
export interface CertificateFilter {
  state?: string;
  profile?: string;
  within?: string;
}

export type Route =
  | { page: 'enter' }
  | { page: 'list'; status: string }
  | { page: 'issue'; mode: 'one' | 'many'; job: string | null }
  | { page: 'credential'; id: string }
  | { page: 'authority' }
  | { page: 'certificates'; filter: CertificateFilter }
  | { page: 'certificate'; id: string }
  | { page: 'refusals' }
  | { page: 'audit'; filter: AuditFilter }
  | { page: 'api' }
  | { page: 'nothing' };

function withQuery(path: string, values: Record<string, string | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export const paths = {
  enter: () => '/enter',
  list: (status = '') => withQuery('/', { status }),
  issue: (mode: 'one' | 'many' = 'one') => withQuery('/issue', { mode: mode === 'many' ? 'many' : '' }),
  job: (job: string) => withQuery('/issue', { mode: 'many', job }),
  credential: (id: string) => `/credentials/${encodeURIComponent(id)}`,
  authority: () => '/authority',
  certificates: (filter: CertificateFilter = {}) => withQuery('/certificates', { ...filter }),
  certificate: (id: string) => `/certificates/${encodeURIComponent(id)}`,
  refusals: () => '/refusals',
  audit: (filter: AuditFilter = {}) => withQuery('/audit', { ...filter }),
  api: (operation = '') => `/docs/api${operation ? `#${operation}` : ''}`,
};

const CERTIFICATE_FILTERS = ['state', 'profile', 'within'] as const;
const FILTERS = ['actor', 'resource', 'correlationId', 'from', 'to'] as const;

export function routeOf(url: URL): Route {
  const path = url.pathname.replace(/\/+$/, '') || '/';
  const query = url.searchParams;
  if (path === '/') return { page: 'list', status: query.get('status') ?? '' };
  if (path === '/enter') return { page: 'enter' };
  if (path === '/issue') {
    const job = query.get('job');
    return { page: 'issue', mode: job || query.get('mode') === 'many' ? 'many' : 'one', job };
  }
  if (path === '/authority') return { page: 'authority' };
  if (path === '/refusals') return { page: 'refusals' };
  if (path === '/certificates') return { page: 'certificates', filter: filterOf(query, CERTIFICATE_FILTERS) };
  if (path === '/audit') return { page: 'audit', filter: filterOf(query, FILTERS) };
  if (path === '/docs/api') return { page: 'api' };
  const certificate = /^\/certificates\/([^/]+)$/.exec(path)?.[1];
  if (certificate) return { page: 'certificate', id: safelyDecoded(certificate) };
  const credential = /^\/credentials\/([^/]+)$/.exec(path)?.[1];
  if (credential) return { page: 'credential', id: safelyDecoded(credential) };
  return { page: 'nothing' };
}

function filterOf<Name extends string>(query: URLSearchParams, names: readonly Name[]): Partial<Record<Name, string>> {
  const filter: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = query.get(name);
    if (value) filter[name] = value;
  }
  return filter;
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Adds the institution to an address when the person stands above several. */
export function forTenant(path: string, tenant: string | null): string {
  if (!tenant) return path;
  const [before = '', hash] = path.split('#');
  const joined = `${before}${before.includes('?') ? '&' : '?'}tenant=${encodeURIComponent(tenant)}`;
  return hash === undefined ? joined : `${joined}#${hash}`;
}
