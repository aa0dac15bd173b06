// The inventory: every certificate, found by name, domain, owner, profile, state or end. State, profile and end stand in
// the address; names and owners can be personal and stay out of it.
import { useState, type FormEvent } from 'react';
import { address, call } from '../api/client.ts';
import { day, number } from '../lib/format.ts';
import { usePages } from '../lib/load.ts';
import { paths, type CertificateFilter } from '../lib/paths.ts';
import { go, Link } from '../lib/router.tsx';
import { Button, Chip, Problem, SelectField, TextField, Waiting } from '../ui/pieces.tsx';
import { isKey, useLang, useT } from '../words/index.ts';
import { PROFILES, queryOf, standingOf, WITHIN_DAYS, type Certificate } from './authority-model.ts';
import { AuthorityTabs, Life, NoAuthority } from './authority.tsx';

const PAGE_SIZE = 50;
const STATES = ['', 'issued', 'overdue', 'revoked'] as const;
const NOTHING = { name: '', suffix: '', owner: '' };

export default function CertificatesPage({ filter }: { filter: CertificateFilter }) {
  const t = useT();
  const lang = useLang();
  const [wanted, setWanted] = useState(NOTHING);
  // One moment for all pages of a search.
  const [now] = useState(Date.now);
  const { state = '', profile = '', within = '' } = filter;
  const isOverdue = state === 'overdue';
  const query = queryOf({ state, profile, within }, wanted, now);
  const list = usePages(JSON.stringify([filter, wanted]), (pageToken, signal) => {
    const more = { limit: PAGE_SIZE, pageToken };
    const stop = signal ? { signal } : {};
    return isOverdue ? call('GET /api/v1/pki/overdue', { query: more, ...stop }) : call('GET /api/v1/pki/certificates', { query: { ...query, ...more }, ...stop });
  });
  const items = list.data?.items ?? [];
  const isFiltered = Object.values(filter).some(Boolean) || Object.values(wanted).some(Boolean);
  const clear = () => {
    setWanted(NOTHING);
    go(paths.certificates(), 'replace');
  };
  return (
    <>
      <div className="head authority-head">
        <div><h1>{t('certs.title')}</h1><p className="lead">{t('certs.lead')}</p></div>
        <AuthorityTabs here="certificates" />
      </div>
      <div className="certs-bar">
        <div className="field">
          <span className="label" id="certs-state">{t('certs.state')}</span>
          <div className="segments" role="group" aria-labelledby="certs-state">
            {STATES.map((one) => (
              <button key={one} type="button" aria-pressed={state === one} onClick={() => go(paths.certificates({ ...filter, state: one }), 'replace')}>{t(one ? `certs.state.${one}` : 'certs.state.all')}</button>
            ))}
          </div>
        </div>
        {isOverdue ? null : (
          <div className="row certs-export">
            <span className="soft small" id="certs-export">{t('certs.export')}</span>
            {(['csv', 'json'] as const).map((format) => (
              <a key={format} className="button" data-size="small" aria-describedby="certs-export" download={`certificates.${format}`} href={address('GET /api/v1/pki/export', { query: { format, ...query } })}>{format.toUpperCase()}</a>
            ))}
          </div>
        )}
      </div>
      {isOverdue ? <p className="soft certs-why">{t('certs.overdue.text')}</p> : <Filters key={JSON.stringify(wanted)} filter={filter} wanted={wanted} search={setWanted} clear={clear} />}
      {list.failure ? <Problem failure={list.failure} again={list.again} /> : null}
      {!list.data && list.loading ? <Waiting /> : null}
      {list.data && items.length === 0 ? isOverdue ? <Well /> : isFiltered ? <NoMatch clear={clear} /> : <NoAuthority /> : null}
      {items.length > 0 ? (
        <>
          <div className="card table-card" aria-busy={list.loading}>
            <table className="grid-table certs-grid">
              <caption className="hidden">{t('certs.caption')}</caption>
              <thead>
                <tr>
                  <th scope="col">{t('certs.column.name')}</th>
                  <th scope="col">{t('certs.column.profile')}</th>
                  <th scope="col">{t('certs.column.owner')}</th>
                  <th scope="col">{t('certs.column.state')}</th>
                  <th scope="col">{t('certs.column.end')}</th>
                </tr>
              </thead>
              <tbody>{items.map((one) => <Row key={one.id} one={one} now={now} />)}</tbody>
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

function Filters({ filter, wanted, search, clear }: { filter: CertificateFilter; wanted: typeof NOTHING; search: (next: typeof NOTHING) => void; clear: () => void }) {
  const t = useT();
  const [typed, setTyped] = useState(wanted);
  const put = (name: keyof typeof typed) => (event: { target: { value: string } }) => setTyped((before) => ({ ...before, [name]: event.target.value }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    search(typed);
  };
  const plain = { autoComplete: 'off', autoCapitalize: 'off', spellCheck: false } as const;
  return (
    <form className="certs-filters" role="search" onSubmit={submit}>
      <TextField label={t('certs.name')} placeholder="db." {...plain} value={typed.name} onChange={put('name')} />
      <TextField label={t('certs.suffix')} placeholder="internal.example" {...plain} value={typed.suffix} onChange={put('suffix')} />
      <TextField label={t('certs.owner')} {...plain} value={typed.owner} onChange={put('owner')} />
      <SelectField label={t('certs.profile')} value={filter.profile ?? ''} onChange={(event) => go(paths.certificates({ ...filter, profile: event.target.value }), 'replace')}>
        <option value="">{t('certs.any')}</option>
        {PROFILES.map((one) => <option key={one}>{one}</option>)}
      </SelectField>
      <SelectField label={t('certs.within')} value={filter.within ?? ''} onChange={(event) => go(paths.certificates({ ...filter, within: event.target.value }), 'replace')}>
        <option value="">{t('certs.any')}</option>
        {WITHIN_DAYS.map((days) => <option key={days} value={days}>{t(days === '1' ? 'certs.within.day' : 'certs.within.days', { days })}</option>)}
      </SelectField>
      <div className="row">
        <Button type="submit" kind="main">{t('list.filter.apply')}</Button>
        <Button kind="quiet" onClick={clear}>{t('list.filter.clear')}</Button>
      </div>
    </form>
  );
}

/** A name without its kind, which the reader sees anyway. */
const bare = (name: string) => name.replace(/^dns:/, '');

function Row({ one, now }: { one: Certificate; now: number }) {
  const t = useT();
  const lang = useLang();
  const standing = standingOf(one, now);
  const [first, ...rest] = one.names.map(bare);
  const title = one.subject || first || one.serial;
  const others = rest.length > 0 ? rest : first === title ? [] : one.names.map(bare);
  const reason = `reason.${one.reason ?? ''}`;
  return (
    <tr>
      <td>
        <Link className="list-name" to={paths.certificate(one.id)}><bdi>{title}</bdi></Link>
        {others.length > 0 ? <div className="soft small break">{others.slice(0, 2).join(', ')}{others.length > 2 ? ` ${t('certs.more', { count: others.length - 2 })}` : ''}</div> : null}
      </td>
      <td data-label={t('certs.column.profile')}>{one.profile}</td>
      <td data-label={t('certs.column.owner')} dir="auto">{one.owner || '–'}</td>
      <td data-label={t('certs.column.state')}>
        <Chip family="standing" value={standing} />
        {one.reason && isKey(reason) ? <div className="soft small">{t(reason)}</div> : null}
      </td>
      <td data-label={t('certs.column.end')}>
        <div className="certs-end">
          {standing === 'issued' ? <Life from={one.notBefore} until={one.notAfter} renew={one.renewAt} now={now} /> : null}
          <span>{day(one.notAfter, lang)}</span>
        </div>
      </td>
    </tr>
  );
}

function Well() {
  const t = useT();
  return <section className="card empty"><h2>{t('certs.overdue.none.title')}</h2><p>{t('certs.overdue.none.text')}</p></section>;
}

function NoMatch({ clear }: { clear: () => void }) {
  const t = useT();
  return (
    <section className="card empty">
      <h2>{t('list.none.title')}</h2>
      <p>{t('certs.none.text')}</p>
      <Button onClick={clear}>{t('list.filter.clear')}</Button>
    </section>
  );
}
