// The authority at a glance: each environment with what is in force, what will end, who signs and until when.
import { call } from '../api/client.ts';
import { day, number } from '../lib/format.ts';
import { useLoad } from '../lib/load.ts';
import { paths, type CertificateFilter } from '../lib/paths.ts';
import { Link } from '../lib/router.tsx';
import { Problem, Seal, Waiting } from '../ui/pieces.tsx';
import { isKey, useLang, useT, type Key } from '../words/index.ts';
import { listsOf, shareOfLife, type Environment, type Overview } from './authority-model.ts';
import './authority.css';

const TABS = [
  { tab: 'authority', to: paths.authority(), key: 'pki.tab.overview' },
  { tab: 'certificates', to: paths.certificates(), key: 'pki.tab.certificates' },
  { tab: 'refusals', to: paths.refusals(), key: 'pki.tab.refusals' },
] as const satisfies readonly { tab: string; to: string; key: Key }[];

/** The pages of the authority, beside each other. */
export function AuthorityTabs({ here }: { here: (typeof TABS)[number]['tab'] }) {
  const t = useT();
  return (
    <nav className="segments authority-tabs" aria-label={t('pki.tabs')}>
      {TABS.map((one) => <Link key={one.tab} to={one.to} aria-current={one.tab === here ? 'page' : undefined}>{t(one.key)}</Link>)}
    </nav>
  );
}

/** How much of a life is over, with the moment of renewal. */
export function Life({ from, until, renew, now }: { from: string; until: string; renew?: string; now: number }) {
  const t = useT();
  const lang = useLang();
  const over = shareOfLife(from, until, now);
  const renewal = renew ? shareOfLife(from, until, renew) : null;
  const late = over >= 1 ? 'over' : renewal !== null && over >= renewal ? 'due' : 'young';
  const percent = number(Math.round(over * 100), lang);
  return (
    <svg className="life" data-late={late} viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={t(renew ? 'pki.life.renew' : 'pki.life', { percent, renew: day(renew, lang), until: day(until, lang) })}>
      <rect className="life-whole" x="0" y="0" width="100" height="6" />
      <rect className="life-over" x="0" y="0" width={over * 100} height="6" />
      {renewal === null ? null : <rect className="life-renew" x={renewal * 100 - 0.35} y="0" width="0.7" height="6" />}
    </svg>
  );
}

export default function AuthorityPage() {
  const t = useT();
  const load = useLoad('overview', (signal) => call('GET /api/v1/pki/overview', { signal }));
  return (
    <>
      <div className="head authority-head">
        <div><h1>{t('pki.title')}</h1><p className="lead">{t('pki.lead')}</p></div>
        <AuthorityTabs here="authority" />
      </div>
      {load.failure ? <Problem failure={load.failure} again={load.again} /> : null}
      {!load.data && load.loading ? <Waiting /> : null}
      {load.data ? <Whole overview={load.data} now={Date.now()} /> : null}
    </>
  );
}

export function Whole({ overview, now }: { overview: Overview; now: number }) {
  const t = useT();
  const lang = useLang();
  if (overview.environments.length === 0) return <NoAuthority />;
  return (
    <div className="stack">
      {overview.environments.map((one) => <EnvironmentCard key={one.name} one={one} now={now} />)}
      <p className="soft small">{t('pki.log', { log: overview.log.name, size: number(overview.log.size, lang) })}</p>
    </div>
  );
}

/** What to do when there is no hierarchy yet. */
export function NoAuthority() {
  const t = useT();
  return (
    <section className="card empty">
      <span className="empty-seal"><Seal size={64} /></span>
      <h2>{t('pki.empty.title')}</h2>
      <p>{t('pki.empty.text')}</p>
      <ol>
        <li>{t('pki.empty.try')}</li>
        <li>{t('pki.empty.init')}</li>
        <li>{t('pki.empty.shares')}</li>
      </ol>
      <pre className="command" tabIndex={0}><code>{'selo pki init --dry-run --out try\nselo pki init --out ca'}</code></pre>
    </section>
  );
}

function EnvironmentCard({ one, now }: { one: Environment; now: number }) {
  const t = useT();
  const { counts } = one;
  return (
    <section className="card stack" aria-labelledby={`environment-${one.name}`}>
      <h2 id={`environment-${one.name}`}>{t('pki.environment', { name: one.name })}</h2>
      <ul className="tiles">
        <Tile count={counts.inForce} label={t('pki.count.inForce')} filter={{ state: 'issued' }} />
        <Tile count={counts.overdue} label={t('pki.count.overdue')} filter={{ state: 'overdue' }} tone={counts.overdue > 0 ? 'pause' : 'plain'} />
        <Tile count={counts.within7Days} label={t('pki.count.week')} filter={{ within: '7' }} tone={counts.within1Day > 0 ? 'pause' : 'plain'} />
        <Tile count={counts.within30Days} label={t('pki.count.month')} filter={{ within: '30' }} />
        <Tile count={counts.revoked} label={t('pki.count.revoked')} filter={{ state: 'revoked' }} />
      </ul>
      <p className="soft small">{t('pki.count.note')}</p>
      <ul className="authorities">
        {one.authorities.map((authority) => <AuthorityRow key={authority.id} authority={authority} lists={one.lists} now={now} />)}
      </ul>
    </section>
  );
}

function Tile({ count, label, filter, tone = 'plain' }: { count: number; label: string; filter: CertificateFilter; tone?: 'plain' | 'pause' }) {
  const lang = useLang();
  return (
    <li>
      <Link className="tile" data-tone={tone} to={paths.certificates(filter)}>
        <strong>{number(count, lang)}</strong>
        <span>{label}</span>
      </Link>
    </li>
  );
}

function AuthorityRow({ authority, lists, now }: { authority: Environment['authorities'][number]; lists: Environment['lists']; now: number }) {
  const t = useT();
  const lang = useLang();
  const own = listsOf(lists, authority.id);
  const state = `pki.authority.${authority.state}`;
  return (
    <li className="authority">
      <div className="authority-name">
        <strong>{authority.name}</strong>
        <span className="soft small">{t(authority.kind === 'root' ? 'pki.authority.root' : 'pki.authority.issuing')}{authority.state !== 'active' && isKey(state) ? ` · ${t(state)}` : ''}</span>
      </div>
      <div className="authority-life">
        <Life from={authority.notBefore} until={authority.notAfter} now={now} />
        <span className="soft small">{t('pki.authority.until', { until: day(authority.notAfter, lang) })}</span>
      </div>
      <p className="soft small authority-lists">
        {own.until
          ? t(own.all === 1 ? 'pki.lists.one' : 'pki.lists', { all: number(own.all, lang), number: number(own.number, lang), until: day(own.until, lang) })
          : t('pki.lists.none', { all: number(own.all, lang) })}
      </p>
    </li>
  );
}
