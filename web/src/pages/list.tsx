// The issuer's list: what was issued, its status, its links and its changes. The status filter stands in the address;
// an e-mail address is personal and stays out of it.
import { useEffect, useState, type FormEvent } from 'react';
import { address, call } from '../api/client.ts';
import { day, number } from '../lib/format.ts';
import { usePages } from '../lib/load.ts';
import { paths } from '../lib/paths.ts';
import { go, Link } from '../lib/router.tsx';
import { useSession } from '../lib/session.tsx';
import { Button, Chip, Outside, Problem, Seal, TextField, Waiting } from '../ui/pieces.tsx';
import { useLang, useT } from '../words/index.ts';
import { ChangeButtons, ChangeDialog, type Change, type Summary } from './change.tsx';
import './list.css';

const PAGE_SIZE = 50;
const SAID_MS = 8_000;
const FILTERS = ['', 'issued', 'suspended', 'revoked'] as const;
export const FORMS = [
  { form: 'JSON', file: 'credential.json' },
  { form: 'PNG', file: 'diploma.png' },
  { form: 'PDF', file: 'diploma.pdf' },
] as const;

export function ListPage({ status }: { status: string }) {
  const t = useT();
  const lang = useLang();
  const { tenant, tenantName } = useSession();
  const [typed, setTyped] = useState('');
  const [email, setEmail] = useState('');
  const [chosen, setChosen] = useState<{ credential: Summary; change: Change } | null>(null);
  const [said, setSaid] = useState('');
  const list = usePages(JSON.stringify([tenant, status, email]), (pageToken, signal) =>
    call('GET /api/v1/credentials', { query: { tenant, status, email: email || undefined, limit: PAGE_SIZE, pageToken }, ...(signal ? { signal } : {}) }),
  );
  useEffect(() => {
    const timer = said ? setTimeout(() => setSaid(''), SAID_MS) : undefined;
    return () => clearTimeout(timer);
  }, [said]);
  const search = (event: FormEvent) => {
    event.preventDefault();
    setEmail(typed.trim());
  };
  const changed = (after: Summary) => {
    if (chosen) setSaid(t(`change.done.${chosen.change}`, { name: after.recipientName ?? after.id }));
    setChosen(null);
    if (status && after.status !== status) list.again();
    else list.replace((before) => ({ ...before, items: before.items.map((one) => (one.id === after.id ? after : one)) }));
  };
  const items = list.data?.items ?? [];
  const filtered = status !== '' || email !== '';
  return (
    <>
      <div className="head">
        <div>
          <h1>{t('list.title')}</h1>
          <p className="lead">{tenantName ? t('list.lead', { name: tenantName }) : t('list.lead.plain')}</p>
        </div>
        <Link className="button" data-kind="main" to={paths.issue()}>{t('list.issue')}</Link>
      </div>
      <div className="list-filters">
        <div className="field">
          <span className="label" id="filter-status">{t('list.filter.status')}</span>
          <div className="segments" role="group" aria-labelledby="filter-status">
            {FILTERS.map((one) => (
              <button key={one} type="button" aria-pressed={status === one} onClick={() => go(paths.list(one), 'replace')}>
                {t(one ? `status.${one}` : 'list.filter.status.all')}
              </button>
            ))}
          </div>
        </div>
        <form className="list-email" role="search" onSubmit={search}>
          <TextField label={t('list.filter.email')} type="email" autoComplete="off" placeholder={t('list.filter.email.hint')} value={typed} onChange={(event) => setTyped(event.target.value)} />
          <Button type="submit">{t('list.filter.apply')}</Button>
        </form>
      </div>
      {list.failure ? <Problem failure={list.failure} again={list.again} /> : null}
      {!list.data && list.loading ? <Waiting /> : null}
      {list.data && items.length === 0 ? filtered ? <NoMatch clear={() => { setTyped(''); setEmail(''); go(paths.list(), 'replace'); }} /> : <Empty /> : null}
      {items.length > 0 ? (
        <>
          <div className="card table-card" aria-busy={list.loading}>
            <table className="grid-table list-grid">
              <caption className="hidden">{t('list.caption')}</caption>
              <thead>
                <tr>
                  <th scope="col">{t('list.column.recipient')}</th>
                  <th scope="col">{t('list.column.date')}</th>
                  <th scope="col">{t('list.column.status')}</th>
                  <th scope="col">{t('list.column.open')}</th>
                  <th scope="col">{t('list.column.change')}</th>
                </tr>
              </thead>
              <tbody>{items.map((one) => <Row key={one.id} one={one} choose={(change) => setChosen({ credential: one, change })} />)}</tbody>
            </table>
          </div>
          <div className="list-foot">
            <span className="soft small" role="status">{t(list.data?.next ? 'list.shown' : 'list.end', { count: number(items.length, lang) })}</span>
            {list.data?.next ? <Button disabled={list.more.busy} onClick={() => void list.more.run()}>{t('list.more')}</Button> : null}
          </div>
          {list.more.failure ? <Problem failure={list.more.failure} /> : null}
        </>
      ) : null}
      <p className="toast" role="status">{said}</p>
      {chosen ? <ChangeDialog {...chosen} close={() => setChosen(null)} done={changed} /> : null}
    </>
  );
}

function Row({ one, choose }: { one: Summary; choose: (change: Change) => void }) {
  const t = useT();
  const lang = useLang();
  const erased = one.status === 'erased';
  const name = one.recipientName ?? t('credential.erased');
  return (
    <tr>
      <td>
        <Link className="list-name" to={paths.credential(one.id)}>{erased ? <em>{name}</em> : <bdi>{name}</bdi>}</Link>
        <div className="soft small" dir="auto">{one.achievement ?? one.template}</div>
      </td>
      <td data-label={t('list.column.date')}>{day(one.issuedAt, lang)}</td>
      <td data-label={t('list.column.status')}><Chip family="status" value={one.status} /></td>
      <td><CredentialLinks one={one} name={name} /></td>
      <td><div className="list-actions"><ChangeButtons status={one.status} name={name} choose={choose} /></div></td>
    </tr>
  );
}

export function CredentialLinks({ one, name }: { one: Summary; name: string }) {
  const t = useT();
  const { tenant } = useSession();
  const erased = one.status === 'erased';
  return (
    <div className="list-links">
      <div className="list-links-row">
        <Outside href={one.pageUrl} label={name}>{t('credential.page')}</Outside>
        {one.recipientUrl ? <Outside href={one.recipientUrl} label={name}>{t('credential.recipient')}</Outside> : null}
      </div>
      <div className="list-links-row">
        {erased ? null : FORMS.map(({ form, file }) => (
          <a key={form} download href={address('GET /api/v1/credentials/{id}/files/{file}', { path: { id: one.id, file }, query: { tenant } })} aria-label={t('credential.download', { form, name })}>{form}</a>
        ))}
      </div>
    </div>
  );
}

function Empty() {
  const t = useT();
  return (
    <section className="card empty">
      <span className="empty-seal"><Seal size={64} /></span>
      <h2>{t('list.empty.title')}</h2>
      <p>{t('list.empty.text')}</p>
      <ol>
        <li>{t('list.empty.one')}</li>
        <li>{t('list.empty.many')}</li>
        <li>{t('list.empty.check')}</li>
      </ol>
      <Link className="button" data-kind="main" to={paths.issue()}>{t('list.issue')}</Link>
    </section>
  );
}

function NoMatch({ clear }: { clear: () => void }) {
  const t = useT();
  return (
    <section className="card empty">
      <h2>{t('list.none.title')}</h2>
      <p>{t('list.none.text')}</p>
      <Button onClick={clear}>{t('list.filter.clear')}</Button>
    </section>
  );
}
