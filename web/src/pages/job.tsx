// A table on its way: how far it is, how each line ended, and what to do about those that failed.
import { useEffect, useState } from 'react';
import { address, call, type Data } from '../api/client.ts';
import { instant, number, shortId } from '../lib/format.ts';
import { useLoad, usePages } from '../lib/load.ts';
import { paths } from '../lib/paths.ts';
import { Link } from '../lib/router.tsx';
import { useSession } from '../lib/session.tsx';
import { Button, Chip, Problem, Waiting } from '../ui/pieces.tsx';
import { useLang, useT } from '../words/index.ts';

type Job = Data<'GET /api/v1/jobs/{id}'>;

const POLL_MS = 700;
const PAGE_SIZE = 100;
const RECENT_MAX = 10;
const OVER = ['done', 'failed', 'cancelled'];
export const isOver = (job: Pick<Job, 'state'>): boolean => OVER.includes(job.state);

export function JobProgress({ id }: { id: string }) {
  const t = useT();
  const lang = useLang();
  const { tenant } = useSession();
  const load = useLoad(`${tenant} ${id}`, (signal) => call('GET /api/v1/jobs/{id}', { path: { id }, query: { tenant }, signal }));
  const job = load.data;
  const over = job ? isOver(job) : false;
  useEffect(() => {
    if (!job || over || load.loading || load.failure) return;
    const timer = setTimeout(load.again, POLL_MS);
    return () => clearTimeout(timer);
  }, [job, over, load.loading, load.failure, load.again]);
  if (load.failure && !job) return <Problem failure={load.failure} again={load.again} />;
  if (!job) return <Waiting />;
  const counts = { issued: number(job.done - job.failed, lang), failed: number(job.failed, lang) };
  return (
    <div className="stack">
      <section className="card stack" aria-labelledby="job-title">
        <div className="job-head">
          <h2 id="job-title">{t('job.title', { id: shortId(job.id) })}</h2>
          <Chip family="job" value={job.state} />
        </div>
        <progress max={Math.max(job.total, 1)} value={job.done} aria-labelledby="job-count" />
        <p id="job-count" className="row"><strong>{t('job.progress', { done: number(job.done, lang), total: number(job.total, lang) })}</strong><span className="soft">{t('job.counts', counts)}</span></p>
        <p className="hidden" role="status">{over ? `${t('job.done')}. ${t('job.counts', counts)}` : t('job.running')}</p>
        {load.failure ? <Problem failure={load.failure} again={load.again} /> : null}
        {job.errorCode ? <p className="soft"><code>{job.errorCode}</code></p> : null}
        {over && job.failed > 0 ? (
          <div className="notice" data-tone="pause">
            <span>{t('job.failed.help')}</span>
            <a className="button" data-size="small" download="failed.csv" href={address('GET /api/v1/jobs/{id}/failed.csv', { path: { id }, query: { tenant } })}>{t('job.failed.csv')}</a>
          </div>
        ) : null}
        {over ? <div className="row"><Link className="button" to={paths.issue('many')}>{t('job.another')}</Link><Link to={paths.list()}>{t('detail.back')}</Link></div> : null}
      </section>
      {over ? <Rows key={job.failed > 0 ? 'failed' : 'all'} id={id} first={job.failed > 0 ? 'failed' : ''} /> : null}
    </div>
  );
}

const OUTCOMES = ['', 'failed', 'issued'] as const;

function Rows({ id, first }: { id: string; first: '' | 'failed' }) {
  const t = useT();
  const lang = useLang();
  const { tenant } = useSession();
  const [outcome, setOutcome] = useState<(typeof OUTCOMES)[number]>(first);
  const rows = usePages(JSON.stringify([id, outcome, lang]), (pageToken, signal) =>
    call('GET /api/v1/jobs/{id}/rows', { path: { id }, query: { tenant, outcome: outcome || undefined, limit: PAGE_SIZE, pageToken }, ...(signal ? { signal } : {}) }),
  );
  return (
    <section className="stack" aria-labelledby="job-rows">
      <div className="job-head">
        <h2 id="job-rows">{t('job.rows')}</h2>
        <div className="segments" role="group" aria-labelledby="job-rows">
          {OUTCOMES.map((one) => <button key={one} type="button" aria-pressed={outcome === one} onClick={() => setOutcome(one)}>{t(one ? `job.rows.${one}` : 'job.rows.all')}</button>)}
        </div>
      </div>
      {rows.failure ? <Problem failure={rows.failure} again={rows.again} /> : null}
      {!rows.data && rows.loading ? <Waiting /> : null}
      {rows.data?.items.length === 0 ? <p className="soft">{t('job.rows.none')}</p> : null}
      {rows.data && rows.data.items.length > 0 ? (
        <div className="card table-card">
          <table className="grid-table">
            <caption className="hidden">{t('job.rows')}</caption>
            <thead><tr><th scope="col">{t('job.row.line')}</th><th scope="col">{t('job.row.outcome')}</th><th scope="col">{t('job.row.what')}</th></tr></thead>
            <tbody>
              {rows.data.items.map((one) => (
                <tr key={one.line}>
                  <td data-label={t('job.row.line')}>{number(one.line, lang)}</td>
                  <td data-label={t('job.row.outcome')}><Chip family="outcome" value={one.outcome} /></td>
                  <td>
                    {one.credential ? <Link className="mono break" to={paths.credential(one.credential)}>{one.credential}</Link> : null}
                    {one.error ? (
                      <>
                        {one.error.field ? <strong>{t('job.row.column', { name: one.error.field })}: </strong> : null}
                        {one.error.message} <span className="soft">{one.error.remedy}</span> <code>{one.error.code}</code>
                      </>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {rows.data?.next ? <div className="row"><Button disabled={rows.more.busy} onClick={() => void rows.more.run()}>{t('list.more')}</Button></div> : null}
      {rows.more.failure ? <Problem failure={rows.more.failure} /> : null}
    </section>
  );
}

export function RecentJobs() {
  const t = useT();
  const lang = useLang();
  const { tenant } = useSession();
  const jobs = useLoad(`jobs ${tenant}`, (signal) => call('GET /api/v1/jobs', { query: { tenant, limit: RECENT_MAX }, signal }));
  if (jobs.failure) return <Problem failure={jobs.failure} again={jobs.again} />;
  if (!jobs.data) return null;
  return (
    <section className="card stack">
      <h2>{t('job.recent')}</h2>
      {jobs.data.items.length === 0 ? <p className="soft">{t('job.recent.none')}</p> : (
        <ul className="job-list">
          {jobs.data.items.map((one) => (
            <li key={one.id}>
              <Link to={paths.job(one.id)}>{instant(one.createdAt, lang)}</Link>
              <span className="soft small">{t('job.counts', { issued: number(one.done - one.failed, lang), failed: number(one.failed, lang) })}</span>
              <Chip family="job" value={one.state} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
