// The certificate authority of the mock house: a hierarchy, certificates in every state, and requests that were refused.

const DAY_MS = 86_400_000;
const NOW = Date.now();
const at = (days: number): string => new Date(NOW + days * DAY_MS).toISOString();
const hex = (seed: number, bytes: number): string => Array.from({ length: bytes }, (_, index) => ((seed * 97 + index * 31 + 64) % 256).toString(16).padStart(2, '0')).join('');
const PEM = `-----BEGIN CERTIFICATE-----\n${'MIIBszCCAVmgAwIBAgIQ'.repeat(8)}\n-----END CERTIFICATE-----\n`;

interface Certificate {
  id: string;
  serial: string;
  authority: string;
  profile: string;
  state: string;
  subject: string;
  names: string[];
  owner: string;
  source: string;
  spkiSha256: string;
  notBefore: string;
  renewAt: string;
  notAfter: string;
  issuedAt: string | null;
  revokedAt: string | null;
  reason: string | null;
  invalidSince: string | null;
}

const AUTHORITIES = [
  { id: 'ca_01jdr0000000000000000000ra', environment: 'prod', kind: 'root', state: 'active', name: 'Universidade de São Tomé e Príncipe Root 1', handle: 'root1', parent: null, shards: 1, notBefore: at(-800), notAfter: at(2850), certificate: PEM },
  { id: 'ca_01jdr0000000000000000000sb', environment: 'prod', kind: 'issuing', state: 'active', name: 'Universidade de São Tomé e Príncipe Issuing 1', handle: 'issuing1', parent: 'ca_01jdr0000000000000000000ra', shards: 16, notBefore: at(-800), notAfter: at(1025), certificate: PEM },
];
const SERVICES = ['db.internal.example', 'portal.usp.example', 'mail.usp.example', 'ldap.internal.example', 'a-very-long-host-name-of-a-very-old-machine.laboratories.internal.example', 'redis-1.internal.example'];
const OWNERS = ['Equipa de bases de dados', 'Ana Conceição', '', 'Rede e servidores'];
const REFUSED = [
  { code: 'PKI_NAME_FORBIDDEN', profile: 'server', en: ['The name … is not for this asker.', 'The operator decides this with ….'], pt: ['O nome … não é para este requerente.', 'O operador decide isto com ….'] },
  { code: 'PKI_AUTHORITY_NOT_FOUND', profile: 'client', en: ['There is no issuing authority here.', 'Make a hierarchy first: selo pki init'], pt: ['Não existe aqui nenhuma autoridade emissora.', 'Crie primeiro uma hierarquia: selo pki init'] },
  { code: 'PKI_PROFILE_UNKNOWN', profile: null, en: ['There is no profile ….', 'Choose one of: ….'], pt: ['Não existe o perfil ….', 'Escolha um de: ….'] },
] as const;

const ok = (data: unknown) => new Response(JSON.stringify({ success: true, data, message: null }), { headers: { 'content-type': 'application/json' } });

export class Authority {
  private readonly certificates: Certificate[];

  constructor(count: number) {
    this.certificates = Array.from({ length: count }, (_, index) => {
      const age = (index * 7) % 95;
      const subject = SERVICES[index % SERVICES.length] ?? '';
      const isRevoked = index % 8 === 5;
      return {
        id: `cert_01jdr0${String(index).padStart(4, '0')}h3k5m7n9p1q3s5t7`, serial: hex(index, 16), authority: 'ca_01jdr0000000000000000000sb', profile: index % 5 === 4 ? 'client' : 'server',
        state: isRevoked ? 'revoked' : 'issued', subject, names: [`dns:${subject}`, ...(index % 3 === 0 ? [`dns:www.${subject}`, 'ip:10.1.2.3', 'ip:10.1.2.4'] : [])], owner: OWNERS[index % OWNERS.length] ?? '',
        source: index % 2 ? 'api' : 'cli', spkiSha256: hex(index + 7, 32), notBefore: at(-age), renewAt: at(60 - age), notAfter: at(90 - age), issuedAt: at(-age),
        revokedAt: isRevoked ? at(-1) : null, reason: isRevoked ? 'superseded' : null, invalidSince: null,
      };
    });
  }

  private isLive(one: Certificate): boolean {
    return one.state === 'issued' && Date.parse(one.notAfter) > NOW;
  }

  private isLate(one: Certificate): boolean {
    return this.isLive(one) && Date.parse(one.renewAt) <= NOW;
  }

  private overview() {
    const live = this.certificates.filter((one) => this.isLive(one));
    const within = (days: number) => live.filter((one) => one.notAfter < at(days)).length;
    const lists = AUTHORITIES.flatMap((one) => Array.from({ length: one.shards }, (_, shard) => ({
      authority: one.id, shard, number: one.kind === 'root' ? 1 : shard < 9 ? shard + 4 : 0,
      thisUpdate: shard < 9 ? at(-0.1) : null, nextUpdate: one.kind === 'root' ? at(200) : shard < 9 ? at(0.9) : null,
    })));
    const counts = {
      issued: this.certificates.length, inForce: live.length, revoked: this.certificates.filter((one) => one.state === 'revoked').length, overdue: live.filter((one) => this.isLate(one)).length,
      within30Days: within(30), within14Days: within(14), within7Days: within(7), within1Day: within(1),
    };
    const environments = this.certificates.length > 0 ? [{ name: 'prod', authorities: AUTHORITIES, counts, lists }] : [];
    return { environments, log: { name: 'ca', size: this.certificates.length * 2 + 5 } };
  }

  private search(query: URLSearchParams): Certificate[] {
    const text = (name: string) => query.get(name) ?? '';
    return this.certificates.filter((one) =>
      (!text('state') || one.state === text('state')) && (!text('profile') || one.profile === text('profile')) && (!text('owner') || one.owner === text('owner')) &&
      (!text('name') || one.names.some((name) => name.slice(4).startsWith(text('name')))) && (!text('suffix') || one.names.some((name) => name.endsWith(text('suffix')))) &&
      (!text('expiresBefore') || one.notAfter < text('expiresBefore')) && (!text('expiresAfter') || one.notAfter >= text('expiresAfter')));
  }

  private timeline(one: Certificate) {
    const fact = `evt_${one.id.slice(5)}`;
    const told = [
      { what: 'planned', at: one.issuedAt, actor: 'user_01jdqv9', fact: null, index: null, proof: null, reason: null },
      { what: 'issued', at: one.issuedAt, actor: 'user_01jdqv9', fact, index: 4217, proof: `/api/v1/audit/proof/${fact}`, reason: null },
    ];
    const revoked = { what: 'revoked', at: one.revokedAt, actor: 'user_01jdqv9', fact: `${fact}r`, index: null, proof: `/api/v1/audit/proof/${fact}r`, reason: one.reason };
    return { items: one.revokedAt ? [...told, revoked] : told };
  }

  private refusals(isPortuguese: boolean) {
    return this.certificates.slice(0, 7).map((_, index) => {
      const one = REFUSED[index % REFUSED.length] ?? REFUSED[0];
      const [message, remedy] = isPortuguese ? one.pt : one.en;
      return { fact: `evt_01jdr0refused${index}`, at: at(-index / 3), actor: 'user_01jdqv9w3e5r7t9y1u3i5o7p9a', code: one.code, message, remedy, profile: one.profile, request: `req_01jdr0mock00000000000000${index}`, index: 30 - index };
    });
  }

  /** Answers what is asked of the authority, or nothing when it is another's. */
  async answer(request: Request, page: (items: unknown[], query: URLSearchParams) => unknown): Promise<Response | null> {
    const url = new URL(request.url);
    const path = url.pathname.replace('/api/v1/pki', '');
    if (path === url.pathname) return null;
    if (path === '/overview') return ok(this.overview());
    if (path === '/authorities') return ok({ items: this.certificates.length > 0 ? AUTHORITIES : [] });
    if (path === '/refusals') return ok(page(this.refusals(request.headers.get('accept-language') === 'pt'), url.searchParams));
    if (path === '/overdue') return ok(page(this.certificates.filter((one) => this.isLate(one)), url.searchParams));
    if (path === '/certificates') return ok(page(this.search(url.searchParams), url.searchParams));
    if (path === '/export') return new Response('id,serial\r\n', { headers: { 'content-type': 'text/csv; charset=utf-8' } });
    const [, id, rest] = /^\/certificates\/(\w+)(?:\/(\w+))?$/.exec(path) ?? [];
    const one = this.certificates.find((known) => known.id === id);
    if (!one) return null;
    if (rest === 'timeline') return ok(this.timeline(one));
    if (rest === 'proof') return new Response('c2sp.org/tlog-proof@v1\nindex 3\n', { headers: { 'content-type': 'text/plain' } });
    if (rest === 'revoke') {
      const { reason } = (await request.json()) as { reason: string };
      Object.assign(one, { state: 'revoked', reason, revokedAt: new Date().toISOString() });
      return ok({ items: [one] });
    }
    return ok({ ...one, certificate: PEM, chain: PEM + PEM });
  }
}
