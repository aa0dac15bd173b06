// What was asked for and refused, with the reason and what to do. The record keeps no names, so none stands here.
import { call, type Data } from '../api/client.ts';
import { instant, number, shortId } from '../lib/format.ts';
import { usePages } from '../lib/load.ts';
import { paths } from '../lib/paths.ts';
import { Link } from '../lib/router.tsx';
import { Button, Coded, Problem, Waiting } from '../ui/pieces.tsx';
import { useLang, useT } from '../words/index.ts';
import { AuthorityTabs } from './authority.tsx';
import './audit.css';

type Refusal = Data<'GET /api/v1/pki/refusals'>['items'][number];

const PAGE_SIZE = 50;

export default function RefusalsPage() {
  const t = useT();
  const lang = useLang();
  // The sentences come in the reader's language, so another language is another list.
  const list = usePages(lang, (pageToken, signal) => call('GET /api/v1/pki/refusals', { query: { limit: PAGE_SIZE, pageToken }, ...(signal ? { signal } : {}) }));
  const items = list.data?.items ?? [];
  return (
    <>
      <div className="head authority-head">
        <div><h1>{t('refusals.title')}</h1><p className="lead">{t('refusals.lead')}</p></div>
        <AuthorityTabs here="refusals" />
      </div>
      {list.failure ? <Problem failure={list.failure} again={list.again} /> : null}
      {!list.data && list.loading ? <Waiting /> : null}
      {list.data && items.length === 0 ? (
        <section className="card empty"><h2>{t('refusals.none.title')}</h2><p>{t('refusals.none.text')}</p><pre className="command" tabIndex={0}><code>selo pki explain --profile server --dns db.internal</code></pre></section>
      ) : null}
      {items.length > 0 ? (
        <>
          <div className="card table-card" aria-busy={list.loading}>
            <table className="grid-table refusals-grid">
              <caption className="hidden">{t('refusals.title')}</caption>
              <thead>
                <tr>
                  <th scope="col">{t('audit.column.time')}</th>
                  <th scope="col">{t('refusals.column.reason')}</th>
                  <th scope="col">{t('certs.column.profile')}</th>
                  <th scope="col">{t('refusals.column.actor')}</th>
                </tr>
              </thead>
              <tbody>{items.map((one) => <Row key={one.fact} one={one} />)}</tbody>
            </table>
          </div>
          <div className="list-foot">
            <span className="soft small" role="status">{t(list.data?.next ? 'certs.shown' : 'certs.end', { count: number(items.length, lang) })}</span>
            {list.data?.next ? <Button disabled={list.more.busy} onClick={() => void list.more.run()}>{t('list.more')}</Button> : null}
          </div>
          {list.more.failure ? <Problem failure={list.more.failure} /> : null}
        </>
      ) : null}
    </>
  );
}

export function Row({ one }: { one: Refusal }) {
  const t = useT();
  const lang = useLang();
  return (
    <tr>
      <td data-label={t('audit.column.time')}>{instant(one.at, lang)}</td>
      <td data-label={t('refusals.column.reason')}>
        <div className="refusal">
          <strong><Coded text={one.message || one.code} /></strong>
          {one.remedy ? <span><Coded text={one.remedy} /></span> : null}
          <span className="soft small"><code>{one.code}</code>{one.index == null ? null : ` · ${t('cert.leaf', { index: number(one.index, lang) })}`}</span>
        </div>
      </td>
      <td data-label={t('certs.column.profile')}>{one.profile ?? '–'}</td>
      <td data-label={t('refusals.column.actor')}>
        <div className="refusal-who">
          <span className="audit-id" title={one.actor}>{shortId(one.actor)}</span>
          <Link className="audit-id small" title={one.request} to={paths.audit({ resource: one.request })}>{shortId(one.request)}</Link>
        </div>
      </td>
    </tr>
  );
}
