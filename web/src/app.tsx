// The frame: who is here, where they are, and the page that belongs there.
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import './app.css';
import { failureOfThrown, type Failure } from './api/errors.ts';
import { paths, routeOf, type Route } from './lib/paths.ts';
import { go, Link, useAddress } from './lib/router.tsx';
import { SessionProvider, useSession } from './lib/session.tsx';
import { CredentialPage } from './pages/credential.tsx';
import { Enter, Stranger } from './pages/enter.tsx';
import { IssuePage } from './pages/issue.tsx';
import { ListPage } from './pages/list.tsx';
import { Button, Problem, Seal, Waiting } from './ui/pieces.tsx';
import { chooseLang, currentLang, LANG_NAMES, LANGS, useLang, useT, type Key } from './words/index.ts';

const AuditPage = lazy(() => import('./pages/audit.tsx'));
const AuthorityPage = lazy(() => import('./pages/authority.tsx'));
const CertificatesPage = lazy(() => import('./pages/certificates.tsx'));
const CertificatePage = lazy(() => import('./pages/certificate.tsx'));
const RefusalsPage = lazy(() => import('./pages/refusals.tsx'));
const ApiPage = lazy(() => import('./pages/api.tsx'));

export function App() {
  return (
    <SessionProvider>
      <Frame />
    </SessionProvider>
  );
}

const TITLES: Partial<Record<Route['page'], Key>> = {
  enter: 'enter.title', list: 'list.title', issue: 'issue.title', audit: 'audit.title',
  authority: 'pki.title', certificates: 'certs.title', certificate: 'certs.title', refusals: 'refusals.title', api: 'api.title', nothing: 'notfound.title',
};

function Frame() {
  const t = useT();
  const address = useAddress();
  const route = routeOf(address);
  const { state, ask } = useSession();
  const known = state.kind === 'known';
  const title = TITLES[route.page];
  useEffect(() => {
    document.title = title ? `${t(title)} · Selo` : 'Selo';
  }, [t, title]);
  useEffect(() => {
    if (route.page !== 'enter') void ask();
    // The session is asked for once; later answers say when it has ended.
  }, []);
  return (
    <>
      <a className="skip" href="#main">{t('app.skip')}</a>
      <Top route={route} known={known} />
      <main id="main" tabIndex={-1}>
        <FocusOnMove where={route.page + ('id' in route ? route.id : '')} />
        <Suspense fallback={<Waiting />}>
          <Page route={route} />
        </Suspense>
      </main>
    </>
  );
}

/** After a move the heading gets the focus, so that screen readers say where one is (WCAG 2.4.3). */
function FocusOnMove({ where }: { where: string }) {
  const before = useRef(where);
  useEffect(() => {
    if (before.current === where) return;
    before.current = where;
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [where]);
  return null;
}

function Page({ route }: { route: Route }) {
  const { state, ask, tenant } = useSession();
  if (route.page === 'enter') return <Enter />;
  if (state.kind === 'asking') return <Waiting />;
  if (state.kind === 'stranger') return <Stranger />;
  if (state.kind === 'trouble') return <Problem failure={state.failure} again={() => void ask()} />;
  switch (route.page) {
    case 'list':
      return <ListPage key={tenant} status={route.status} />;
    case 'issue':
      return <IssuePage key={tenant} mode={route.mode} job={route.job} />;
    case 'credential':
      return <CredentialPage key={route.id} id={route.id} />;
    case 'authority':
      return <AuthorityPage />;
    case 'certificates':
      return <CertificatesPage filter={route.filter} />;
    case 'certificate':
      return <CertificatePage key={route.id} id={route.id} />;
    case 'refusals':
      return <RefusalsPage />;
    case 'audit':
      return <AuditPage key={tenant} filter={route.filter} />;
    case 'api':
      return <ApiPage />;
    case 'nothing':
      return <Nothing />;
  }
}

function Nothing() {
  const t = useT();
  return (
    <section className="door">
      <h1>{t('notfound.title')}</h1>
      <p className="lead">{t('notfound.text')}</p>
      <Link className="button" data-kind="main" to={paths.list()}>{t('notfound.back')}</Link>
    </section>
  );
}

const NAV: readonly { pages: readonly Route['page'][]; to: string; key: Key }[] = [
  { pages: ['list', 'credential'], to: paths.list(), key: 'nav.list' },
  { pages: ['issue'], to: paths.issue(), key: 'nav.issue' },
  { pages: ['authority', 'certificates', 'certificate', 'refusals'], to: paths.authority(), key: 'nav.pki' },
  { pages: ['audit'], to: paths.audit(), key: 'nav.audit' },
  { pages: ['api'], to: paths.api(), key: 'nav.api' },
];

function Top({ route, known }: { route: Route; known: boolean }) {
  const t = useT();
  const lang = useLang();
  const { leave } = useSession();
  const [failure, setFailure] = useState<Failure | null>(null);
  const out = () =>
    leave().then(() => go(paths.list()), (thrown: unknown) => setFailure(failureOfThrown(thrown, currentLang())));
  return (
    <header className="top">
      <div className="top-inner">
        <Link className="brand" to={paths.list()}><Seal size={30} /><span className="brand-name">{t('app.name')}</span></Link>
        {known ? (
          <nav aria-label={t('app.nav')}>
            {NAV.map((one) => (
              <Link key={one.key} to={one.to} aria-current={one.pages.includes(route.page) ? 'page' : undefined}>{t(one.key)}</Link>
            ))}
          </nav>
        ) : null}
        <div className="top-end">
          {known ? <Tenant /> : null}
          <div className="top-langs" role="group" aria-label={t('app.menu.language')}>
            {LANGS.map((one) => (
              <button key={one} type="button" lang={one} aria-pressed={lang === one} aria-label={`${one.toUpperCase()}, ${LANG_NAMES[one]}`} title={LANG_NAMES[one]} onClick={() => chooseLang(one)}>{one.toUpperCase()}</button>
            ))}
          </div>
          {known ? <Button kind="quiet" size="small" onClick={() => void out()}>{t('app.signout')}</Button> : null}
        </div>
        {failure ? <Problem failure={failure} /> : null}
      </div>
    </header>
  );
}

function Tenant() {
  const t = useT();
  const { state, tenant, tenantName } = useSession();
  const tenants = state.kind === 'known' ? state.tenants : [];
  if (tenants.length < 2) return tenantName ? <span className="top-tenant" title={tenantName}>{tenantName}</span> : null;
  const choose = (id: string) => {
    const target = new URL(location.href);
    const page = target.pathname.startsWith('/credentials/') ? '/' : target.pathname;
    history.pushState(null, '', `${page}?tenant=${encodeURIComponent(id)}`);
    dispatchEvent(new Event('popstate'));
  };
  return (
    <select aria-label={t('app.tenant')} value={tenant} onChange={(event) => choose(event.target.value)}>
      {tenants.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
    </select>
  );
}
