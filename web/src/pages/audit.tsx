// The record: who did what, to what, when. The filter stands in the address, so a search can be sent to a colleague;
// it holds ids and times only.
import { useState, type FormEvent } from 'react';
import { call, type Data } from '../api/client.ts';
import { instant, number, shortId, toLocal, toUtc } from '../lib/format.ts';
import { useAct, usePages } from '../lib/load.ts';
import { paths, type AuditFilter } from '../lib/paths.ts';
import { go, Link } from '../lib/router.tsx';
import { useSession } from '../lib/session.tsx';
import { Button, Problem, TextField, Waiting } from '../ui/pieces.tsx';
import { isKey, useLang, useT } from '../words/index.ts';
import './audit.css';

type Entry = Data<'GET /api/v1/audit'>['items'][number];

const PAGE_SIZE = 50;

export default function AuditPage({ filter }: { filter: AuditFilter }) {
  const t = useT();
  const { tenant } = useSession();
  const key = JSON.stringify([tenant, filter]);
  const found = usePages(key, (pageToken, signal) =>
    call('GET /api/v1/audit', { query: { tenant, ...filter, limit: PAGE_SIZE, pageToken }, ...(signal ? { signal } : {}) }),
  );
  return (
    <>
      <div className="head">
        <div><h1>{t('audit.title')}</h1><p className="lead">{t('audit.lead')}</p></div>
        <VerifyLog />
      </div>
      <Filters key={key} filter={filter} />
      {found.failure ? <Problem failure={found.failure} again={found.again} /> : null}
      {!found.data && found.loading ? <Waiting /> : null}
      {found.data?.items.length === 0 ? <p className="card soft">{t('audit.none')}</p> : null}
      {found.data && found.data.items.length > 0 ? (
        <div className="card table-card">
          <table className="grid-table audit-table">
            <caption className="hidden">{t('audit.caption')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('audit.column.time')}</th>
                <th scope="col">{t('audit.column.event')}</th>
                <th scope="col">{t('audit.column.actor')}</th>
                <th scope="col">{t('audit.column.resource')}</th>
              </tr>
            </thead>
            <tbody>{found.data.items.map((one) => <Row key={one.id} one={one} />)}</tbody>
          </table>
        </div>
      ) : null}
      {found.data?.next ? <div className="list-foot"><Button disabled={found.more.busy} onClick={() => void found.more.run()}>{t('list.more')}</Button></div> : null}
      {found.more.failure ? <Problem failure={found.more.failure} /> : null}
    </>
  );
}

function Filters({ filter }: { filter: AuditFilter }) {
  const t = useT();
  const [typed, setTyped] = useState({ actor: filter.actor ?? '', resource: filter.resource ?? '', correlationId: filter.correlationId ?? '', from: toLocal(filter.from), to: toLocal(filter.to) });
  const put = (name: keyof typeof typed) => (event: { target: { value: string } }) => setTyped((before) => ({ ...before, [name]: event.target.value }));
  const search = (event: FormEvent) => {
    event.preventDefault();
    const next: AuditFilter = {};
    for (const name of ['actor', 'resource', 'correlationId'] as const) if (typed[name].trim()) next[name] = typed[name].trim();
    for (const name of ['from', 'to'] as const) {
      const time = toUtc(typed[name]);
      if (time) next[name] = time;
    }
    go(paths.audit(next), 'replace');
  };
  return (
    <form className="audit-filters" role="search" onSubmit={search}>
      <TextField label={t('audit.actor')} value={typed.actor} onChange={put('actor')} placeholder="user_…" spellCheck={false} autoCapitalize="off" />
      <TextField label={t('audit.resource')} value={typed.resource} onChange={put('resource')} placeholder="cred_…" spellCheck={false} autoCapitalize="off" />
      <TextField label={t('audit.correlation')} value={typed.correlationId} onChange={put('correlationId')} placeholder="corr_…" spellCheck={false} autoCapitalize="off" />
      <TextField label={t('audit.from')} type="datetime-local" value={typed.from} onChange={put('from')} />
      <TextField label={t('audit.to')} type="datetime-local" value={typed.to} onChange={put('to')} />
      <div className="row">
        <Button type="submit" kind="main">{t('audit.search')}</Button>
        <Button kind="quiet" onClick={() => go(paths.audit(), 'replace')}>{t('audit.clear')}</Button>
      </div>
    </form>
  );
}

function Row({ one }: { one: Entry }) {
  const t = useT();
  const lang = useLang();
  const key = `event.${one.eventType}`;
  return (
    <tr>
      <td data-label={t('audit.column.time')}>{instant(one.timestamp, lang)}</td>
      <td data-label={t('audit.column.event')}>
        <strong>{isKey(key) ? t(key) : one.eventType}</strong>
        <details className="audit-details">
          <summary className="small">{t('audit.details')}</summary>
          <pre tabIndex={0}><code>{JSON.stringify({ id: one.id, eventType: one.eventType, log: one.log, correlationId: one.correlationId, ipAddress: one.ipAddress ?? undefined, userAgent: one.userAgent ?? undefined, details: one.details }, null, 2)}</code></pre>
          <p className="small"><Link to={paths.audit({ correlationId: one.correlationId })}>{t('audit.correlation')}: {shortId(one.correlationId)}</Link></p>
        </details>
      </td>
      <td data-label={t('audit.column.actor')}><Link className="audit-id" title={one.actorId} to={paths.audit({ actor: one.actorId })}>{shortId(one.actorId)}</Link></td>
      <td data-label={t('audit.column.resource')}><Link className="audit-id" title={one.resourceId} to={paths.audit({ resource: one.resourceId })}>{one.resourceType} {shortId(one.resourceId)}</Link></td>
    </tr>
  );
}

function VerifyLog() {
  const t = useT();
  const lang = useLang();
  const [logs, setLogs] = useState<Data<'POST /api/v1/log/verify'>['logs'] | null>(null);
  const act = useAct(async () => setLogs((await call('POST /api/v1/log/verify', {})).logs));
  return (
    <div className="stack">
      <div><Button disabled={act.busy} onClick={() => void act.run()}>{t(act.busy ? 'audit.verify.busy' : 'audit.verify')}</Button></div>
      <div role="status">
        {logs?.map((one) => (
          <p key={one.log} className="small">{t(one.ok ? 'audit.verify.ok' : 'audit.verify.bad', { log: one.log, size: number(one.size, lang), problems: one.problems.join('; ') })}</p>
        ))}
      </div>
      {act.failure ? <Problem failure={act.failure} /> : null}
    </div>
  );
}
