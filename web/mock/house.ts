// A house that is not there: it answers the calls of the contract from memory, for `npm run dev`, `npm run preview`
// and the unit tests. Failures are asked for by sentinel input, listed in README.md. It is never part of the build.
import { readFileSync } from 'node:fs';
import { Authority } from './authority.ts';
import { PICTURE } from './picture.ts';

type Row = Record<string, string>;
interface Credential {
  id: string;
  person: string;
  status: string;
  template: string;
  row: Row | null;
  issuedAt: string;
  statusAt: string | null;
  reason: string | null;
  history: { type: string; at: string; actor: string; factId: string }[];
}
interface Job {
  id: string;
  kind: string;
  state: string;
  total: number;
  done: number;
  failed: number;
  errorCode: string | null;
  createdAt: string;
  finishedAt: string | null;
  lines: { line: number; cells: Row; credential: string | null; error: RowError | null }[];
}
interface RowError {
  code: string;
  field: string | null;
  message: string;
  remedy: string;
}

const PUBLIC = 'http://localhost:8080';
const TENANT = { id: 'ten_01jdqv8r5w3x7y9z2k4m6n8p0q', name: 'Universidade de São Tomé e Príncipe', did: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK', createdAt: '2026-11-20T08:00:00Z' };
const SECOND = { ...TENANT, id: 'ten_01jdqv8r5w3x7y9z2k4m6n8p1r', name: 'Instituto Superior de Educação' };
const COLUMNS = [
  { name: 'name', label: ['Name', 'Nome'], required: true, charactersMax: 200, example: 'Ana Conceição' },
  { name: 'email', label: ['E-mail', 'Correio eletrónico'], required: false, charactersMax: 254, example: 'ana@example.org' },
  { name: 'degree', label: ['Degree', 'Grau'], required: true, charactersMax: 200, example: 'Licenciatura em Direito' },
  { name: 'field', label: ['Field of study', 'Área de estudo'], required: false, charactersMax: 200, example: 'Direito' },
  { name: 'grade', label: ['Grade', 'Classificação'], required: false, charactersMax: 40, example: '17 (dezassete) valores' },
  { name: 'date', label: ['Date', 'Data'], required: true, charactersMax: 10, example: '2026-07-31' },
] as const;
const PEOPLE = [
  'Ana Conceição', 'José Maria dos Santos Trovoada', 'Ἑλένη Παπαδοπούλου', 'Дмитрий Иванович Соколов', 'فاطمة الزهراء', 'Manuel Pinto da Costa Nascimento e Silva de Menezes',
  'Zoë Ångström', 'Łukasz Żółć', 'Maria do Céu Espírito Santo', 'Olga Fernandes',
];
const DEGREES = ['Licenciatura em Direito', 'Licenciatura em Engenharia Informática', 'Mestrado em Saúde Pública', 'Doutoramento em História'];
const STEP_ROWS = 6;

const text = {
  unauthenticated: { en: ['We do not know who is asking.', 'Sign in, or send a valid API key.'], pt: ['Não sabemos quem está a pedir.', 'Inicie sessão ou envie uma chave de API válida.'] },
  missing: { en: ['There is nothing here.', 'Check the address.'], pt: ['Não há nada aqui.', 'Verifique o endereço.'] },
  transition: { en: ['The credential no longer is in a state that allows this.', 'Reload the list.'], pt: ['O estado da credencial já não permite isto.', 'Recarregue a lista.'] },
  glyph: { en: ['The character \u{1F600} cannot be printed.', 'Remove it from the name.'], pt: ['O carácter \u{1F600} não pode ser impresso.', 'Retire-o do nome.'] },
  date: { en: ['31/07/2026 is not a date we read.', 'Write it as 2026-07-31.'], pt: ['31/07/2026 não é uma data que possamos ler.', 'Escreva-a como 2026-07-31.'] },
  merged: { en: ['The event is not yet in the signed log.', 'Try again in two seconds.'], pt: ['O acontecimento ainda não está no registo assinado.', 'Tente de novo dentro de dois segundos.'] },
  trouble: { en: ['Something of ours broke.', 'Try again; the log of the house says more.'], pt: ['Algo nosso falhou.', 'Tente de novo; o registo da casa diz mais.'] },
} as const;

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', 'x-request-id': 'req_01jdr0mock000000000000000', ...headers } });
const ok = (data: unknown, status = 200, headers: Record<string, string> = {}) => json(status, { success: true, data, message: null }, headers);

export class House {
  signedIn: boolean;
  several = false;
  private readonly used = new Set<string>();
  private readonly credentials: Credential[] = [];
  private readonly jobs: Job[] = [];
  private readonly authority: Authority;
  private counter = 0;

  constructor(options: { credentials?: number; signedIn?: boolean } = {}) {
    this.signedIn = options.signedIn ?? false;
    this.authority = new Authority(options.credentials ?? 0);
    for (let index = 0; index < (options.credentials ?? 0); index += 1) {
      const name = PEOPLE[index % PEOPLE.length] ?? '';
      const made = this.make({ name, email: `aluno${index}@example.org`, degree: DEGREES[index % DEGREES.length] ?? '', field: 'Direito', grade: '17 valores', date: '2026-07-31' }, `2026-11-${String(24 - (index % 20)).padStart(2, '0')}T09:${String(59 - (index % 60)).padStart(2, '0')}:00Z`);
      if (index % 9 === 3) this.turn(made, 'suspended', 'fees unpaid');
      if (index % 9 === 5) this.turn(made, 'revoked', 'issued to the wrong person');
      if (index === 7) this.forget(made);
    }
    this.credentials.reverse();
  }

  private id(kind: string): string {
    this.counter += 1;
    return `${kind}_01jdr0${String(this.counter).padStart(4, '0')}h3k5m7n9p1q3s5t7`;
  }

  private make(row: Row, at: string): Credential {
    const made: Credential = { id: this.id('cred'), person: this.id('per'), status: 'issued', template: 'diploma', row, issuedAt: at, statusAt: null, reason: null, history: [] };
    made.history.push({ type: 'credential.issued', at, actor: 'user_01jdqv9', factId: this.id('evt') });
    this.credentials.unshift(made);
    return made;
  }

  private turn(one: Credential, status: string, reason: string) {
    const at = new Date().toISOString();
    one.history.push({ type: `credential.${status === 'issued' ? 'reinstated' : status}`, at, actor: 'user_01jdqv9', factId: this.id('evt') });
    Object.assign(one, { status, statusAt: at, reason });
  }

  private forget(one: Credential) {
    one.history.push({ type: 'person.erased', at: new Date().toISOString(), actor: 'user_01jdqv9', factId: this.id('evt') });
    Object.assign(one, { status: 'erased', row: null });
  }

  private summary(one: Credential) {
    return {
      id: one.id, person: one.person, status: one.status, template: one.template, recipientName: one.row?.name ?? null, achievement: one.row?.degree ?? null,
      issuedAt: one.issuedAt, statusAt: one.statusAt, pageUrl: `${PUBLIC}/v/${one.id.slice(-12)}`, recipientUrl: one.row ? `${PUBLIC}/r/${one.id.slice(-12)}` : null,
    };
  }

  private detail(one: Credential) {
    const document = one.row
      ? {
          '@context': ['https://www.w3.org/ns/credentials/v2'], type: ['VerifiableCredential', 'OpenBadgeCredential'], issuer: { id: TENANT.did, name: TENANT.name }, validFrom: `${one.row.date}T00:00:00Z`, awardedDate: `${one.row.date}T00:00:00Z`,
          credentialSubject: { achievement: { name: one.row.degree, fieldOfStudy: one.row.field }, result: [{ value: one.row.grade }] },
        }
      : null;
    return { ...this.summary(one), reason: one.reason, document, history: one.history };
  }

  private error(request: Request, status: number, code: string, sentence: keyof typeof text, details: unknown[] = [], headers: Record<string, string> = {}) {
    const lang = (request.headers.get('cookie') ?? '').includes('selo-lang=pt') || request.headers.get('accept-language') === 'pt' ? 'pt' : 'en';
    const [message, remedy] = text[sentence][lang];
    return json(status, { success: false, error: { code, message, remedy, details }, requestId: 'req_01jdr0mock000000000000000' }, headers);
  }

  /** Answers a request, or nothing when the address is none of the house's. */
  async answer(request: Request): Promise<Response | null> {
    const url = new URL(request.url);
    const path = url.pathname;
    if (path === '/openapi.json') return this.contract(request);
    if (!path.startsWith('/api/')) return null;
    const is = (method: string, pattern: RegExp) => (request.method === method ? pattern.exec(path) : null);
    const query = url.searchParams;

    if (is('POST', /^\/api\/v1\/session$/)) {
      const { token } = (await request.json()) as { token: string };
      if (token.includes('trouble')) return this.error(request, 500, 'INTERNAL', 'trouble');
      if (token.includes('expired') || this.used.has(token)) return this.error(request, 401, 'UNAUTHENTICATED', 'unauthenticated');
      this.used.add(token);
      this.signedIn = true;
      this.several = token.includes('several');
      return ok(this.session());
    }
    if (!this.signedIn) return this.error(request, 401, 'UNAUTHENTICATED', 'unauthenticated');
    if (is('GET', /^\/api\/v1\/session$/)) return ok(this.session());
    if (is('DELETE', /^\/api\/v1\/session$/)) {
      this.signedIn = false;
      return ok(null);
    }
    if (is('GET', /^\/api\/v1\/tenants$/)) return ok({ items: this.several ? [TENANT, SECOND] : [TENANT] });
    if (is('GET', /^\/api\/v1\/templates$/)) return ok({ items: this.templates(request) });
    if (is('GET', /^\/api\/v1\/credentials$/)) return this.list(request, query);
    if (is('POST', /^\/api\/v1\/credentials$/)) return this.issue(request);
    if (is('POST', /^\/api\/v1\/batches$/)) return this.receive(await request.text());
    if (is('GET', /^\/api\/v1\/jobs$/)) return ok({ items: this.jobs.map(({ lines: _, ...job }) => job) });
    if (is('GET', /^\/api\/v1\/audit$/)) return this.audit(query);
    if (is('POST', /^\/api\/v1\/log\/verify$/)) return ok({ logs: ['cred', 'audit'].map((log) => ({ log, size: this.facts().length, root: 'q83vEjRWeJA=', ok: true, problems: [] })) });
    const proof = is('GET', /^\/api\/v1\/audit\/proof\/(\w+)$/);
    if (proof) {
      if (proof[1]?.endsWith('s5t7') && this.facts().at(0)?.id === proof[1]) return this.error(request, 503, 'LOG_NOT_MERGED', 'merged', [], { 'retry-after': '2' });
      return new Response(`c2sp.org/tlog-proof@v1\nindex 3\n`, { headers: { 'content-type': 'text/plain' } });
    }
    const certificates = await this.authority.answer(request, (items, wanted) => this.page(items, wanted));
    if (certificates) return certificates;
    const job = is('GET', /^\/api\/v1\/jobs\/(\w+)(\/rows|\/failed\.csv)?$/);
    if (job) return this.job(request, job[1] ?? '', job[2] ?? '', query);
    const erase = is('POST', /^\/api\/v1\/people\/(\w+)\/erase$/);
    if (erase) {
      const theirs = this.credentials.filter((one) => one.person === erase[1]);
      if (theirs.length === 0) return this.error(request, 404, 'NOT_FOUND', 'missing');
      theirs.forEach((one) => this.forget(one));
      return ok({ person: erase[1], credentials: theirs.length });
    }
    const one = /^\/api\/v1\/credentials\/(\w+)(?:\/(.+))?$/.exec(path);
    const found = this.credentials.find((credential) => credential.id === one?.[1]);
    if (one && found) return this.single(request, found, one[2] ?? '');
    return this.error(request, 404, 'NOT_FOUND', 'missing');
  }

  private session() {
    return { user: { id: 'user_01jdqv9', name: 'Administrator' }, tenant: this.several ? null : { id: TENANT.id, name: TENANT.name }, roles: ['super_admin'] };
  }

  private templates(request: Request) {
    const at = request.headers.get('accept-language') === 'pt' ? 1 : 0;
    const columns = COLUMNS.map((one) => ({ ...one, label: one.label[at] }));
    return [
      { id: 'diploma', name: 'Diploma', kind: 'Diploma', digest: 'ab'.repeat(32), columns },
      { id: 'badge', name: ['Badge', 'Distintivo'][at], kind: 'Badge', digest: 'cd'.repeat(32), columns: columns.filter((one) => !['field', 'grade'].includes(one.name)) },
    ];
  }

  private page<T>(items: T[], query: URLSearchParams) {
    const limit = Number(query.get('limit') ?? 50);
    const from = Number(query.get('pageToken') ?? 0);
    const next = from + limit < items.length ? { nextPageToken: String(from + limit) } : {};
    return { items: items.slice(from, from + limit), ...next };
  }

  private list(request: Request, query: URLSearchParams) {
    const email = query.get('email');
    if (email === 'trouble@example.org') return this.error(request, 500, 'INTERNAL', 'trouble');
    if (query.get('tenant') === SECOND.id) return ok({ items: [] });
    const status = query.get('status');
    const items = this.credentials.filter((one) => (!status || one.status === status) && (!email || one.row?.email === email));
    return ok(this.page(items.map((one) => this.summary(one)), query));
  }

  private async issue(request: Request) {
    const { row } = (await request.json()) as { row: Row };
    if (row.name?.includes('\u{1F600}')) return this.error(request, 422, 'VALIDATION_ERROR', 'glyph', [{ field: '/row/name', code: 'GLYPH_MISSING', message: text.glyph.en.join(' ') }]);
    return ok(this.summary(this.make(row, new Date().toISOString())), 201);
  }

  private async single(request: Request, one: Credential, rest: string) {
    if (request.method === 'GET' && rest === '') return ok(this.detail(one));
    if (request.method === 'GET' && rest.endsWith('.png')) return new Response(PICTURE, { headers: { 'content-type': 'image/svg+xml' } });
    if (request.method === 'GET' && rest.startsWith('files/')) return new Response('{}', { headers: { 'content-type': 'application/octet-stream', 'content-disposition': `attachment; filename="${rest.slice(6)}"` } });
    const target = { revoke: 'revoked', suspend: 'suspended', reinstate: 'issued' }[rest];
    if (request.method !== 'POST' || !target) return this.error(request, 404, 'NOT_FOUND', 'missing');
    const { reason } = (await request.json()) as { reason: string };
    if (reason === 'conflict') return this.error(request, 409, 'STATUS_TRANSITION', 'transition');
    this.turn(one, target, reason);
    return ok(this.summary(one));
  }

  private receive(table: string) {
    const [head = '', ...rest] = table.replace(/^\uFEFF/, '').split(/\r?\n/).filter(Boolean);
    const names = head.split(',');
    const lines = rest.map((line, index) => {
      const cells = Object.fromEntries(line.split(',').map((value, place) => [names[place] ?? `column${place}`, value]));
      const bad = /^\d{4}-\d\d-\d\d$/.test(cells.date ?? '') ? null : { code: 'CELL_DATE', field: 'date', message: '', remedy: '' };
      return { line: index + 2, cells, credential: null, error: bad };
    });
    const job: Job = { id: this.id('job'), kind: 'credential.bulk', state: 'queued', total: lines.length, done: 0, failed: 0, errorCode: null, createdAt: new Date().toISOString(), finishedAt: null, lines };
    this.jobs.unshift(job);
    const { lines: _, ...body } = job;
    return ok(body, 202);
  }

  private job(request: Request, id: string, rest: string, query: URLSearchParams) {
    const job = this.jobs.find((one) => one.id === id);
    if (!job) return this.error(request, 404, 'NOT_FOUND', 'missing');
    if (rest === '/failed.csv') {
      const bad = job.lines.filter((one) => one.error);
      const body = [`${Object.keys(job.lines[0]?.cells ?? {}).join(',')},error_code,error_message`, ...bad.map((one) => `${Object.values(one.cells).join(',')},${one.error?.code},…`)].join('\r\n');
      return new Response(body, { headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="failed.csv"' } });
    }
    if (rest === '/rows') {
      const wanted = query.get('outcome');
      const [message, remedy] = text.date[request.headers.get('accept-language') === 'pt' ? 'pt' : 'en'];
      const rows = job.lines.map((one) => ({ line: one.line, outcome: one.error ? 'failed' : one.credential ? 'issued' : 'waiting', credential: one.credential, error: one.error && { ...one.error, message, remedy } }));
      return ok(this.page(rows.filter((one) => !wanted || one.outcome === wanted), query));
    }
    for (const one of job.lines.slice(job.done, job.done + STEP_ROWS)) {
      if (one.error) job.failed += 1;
      else one.credential = this.make(one.cells, new Date().toISOString()).id;
      job.done += 1;
    }
    job.state = job.done < job.total ? 'running' : 'done';
    if (job.state === 'done') job.finishedAt ??= new Date().toISOString();
    const { lines: _, ...body } = job;
    return ok(body);
  }

  private facts() {
    return this.credentials
      .flatMap((one) => one.history.map((event) => ({
        id: event.factId, log: event.type === 'person.erased' ? 'audit' : 'cred', timestamp: event.at, eventType: event.type, actorType: 'user', actorId: event.actor,
        resourceType: 'credential', resourceId: one.id, action: event.type.split('.')[1] ?? '', details: { template: one.template }, ipAddress: '127.0.0.1', userAgent: 'selo', correlationId: `corr_${event.factId.slice(4)}`,
      })))
      .sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1));
  }

  private audit(query: URLSearchParams) {
    const fits = (name: string, value: string) => !query.get(name) || query.get(name) === value;
    const from = query.get('from') ?? '';
    const to = query.get('to') ?? '9999';
    const items = this.facts().filter((one) => fits('actor', one.actorId) && fits('resource', one.resourceId) && fits('correlationId', one.correlationId) && one.timestamp >= from && one.timestamp < to);
    return ok(this.page(items, query));
  }

  private contract(request: Request) {
    try {
      return new Response(readFileSync(process.env.SELO_OPENAPI ?? new URL('../../openapi/selo.json', import.meta.url)), { headers: { 'content-type': 'application/json' } });
    } catch {
      return this.error(request, 404, 'NOT_FOUND', 'missing');
    }
  }
}
