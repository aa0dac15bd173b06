// Issue one from a form that the template's columns make, or many from a table. What was sent once and failed keeps
// every word that was typed.
import { useRef, useState, type FormEvent } from 'react';
import { call, type Data } from '../api/client.ts';
import { messageFor } from '../api/errors.ts';
import { save } from '../lib/format.ts';
import { useAct, useLoad } from '../lib/load.ts';
import { paths } from '../lib/paths.ts';
import { go, Link } from '../lib/router.tsx';
import { useSession } from '../lib/session.tsx';
import { Button, Problem, SelectField, TextField, Waiting } from '../ui/pieces.tsx';
import { useLang, useT } from '../words/index.ts';
import type { Summary } from './change.tsx';
import './issue.css';
import { JobProgress, RecentJobs } from './job.tsx';

type Template = Data<'GET /api/v1/templates'>['items'][number];

const FILE_BYTES_MAX = 200 * 1024 * 1024;

export function IssuePage({ mode, job }: { mode: 'one' | 'many'; job: string | null }) {
  const t = useT();
  const lang = useLang();
  const templates = useLoad(`templates ${lang}`, (signal) => call('GET /api/v1/templates', { signal }));
  const [chosen, setChosen] = useState('');
  const template = templates.data?.items.find((one) => one.id === chosen) ?? templates.data?.items[0];
  return (
    <>
      <div className="head">
        <div>
          <h1>{t('issue.title')}</h1>
          <p className="lead">{t('issue.lead')}</p>
        </div>
      </div>
      {job ? <JobProgress key={job} id={job} /> : (
        <>
          <div className="issue-top">
            <div className="field">
              <span className="label" id="issue-mode">{t('issue.mode')}</span>
              <div className="segments" role="group" aria-labelledby="issue-mode">
                {(['one', 'many'] as const).map((one) => (
                  <Link key={one} to={paths.issue(one)} aria-current={mode === one ? 'true' : undefined}>{t(`issue.mode.${one}`)}</Link>
                ))}
              </div>
            </div>
            {templates.data ? (
              <SelectField label={t('issue.template')} value={template?.id ?? ''} onChange={(event) => setChosen(event.target.value)}>
                {templates.data.items.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
              </SelectField>
            ) : null}
          </div>
          {templates.failure ? <Problem failure={templates.failure} again={templates.again} /> : null}
          {!templates.data && templates.loading ? <Waiting /> : null}
          {template && mode === 'one' ? <One key={template.id} template={template} /> : null}
          {template && mode === 'many' ? <Many key={template.id} template={template} /> : null}
        </>
      )}
    </>
  );
}

function inputType(column: string): 'text' | 'email' | 'date' {
  return column === 'email' ? 'email' : column === 'date' ? 'date' : 'text';
}

function One({ template }: { template: Template }) {
  const t = useT();
  const { tenant } = useSession();
  const [row, setRow] = useState<Record<string, string>>({});
  const [checked, setChecked] = useState(false);
  const [issued, setIssued] = useState<Summary | null>(null);
  const form = useRef<HTMLFormElement>(null);
  // The same key for a second try: an answer that was lost on the way does not issue a second diploma.
  const key = useRef(crypto.randomUUID());
  const act = useAct(() => {
    const cells = Object.fromEntries(Object.entries(row).filter(([, value]) => value.trim() !== ''));
    return call('POST /api/v1/credentials', { query: { tenant }, body: { template: template.id, row: cells }, idempotencyKey: key.current });
  });
  const missing = (name: string, required: boolean) => required && !row[name]?.trim();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    setIssued(null);
    const first = template.columns.find((one) => missing(one.name, one.required));
    if (first) {
      form.current?.querySelector<HTMLInputElement>(`[name="${CSS.escape(first.name)}"]`)?.focus();
      return;
    }
    const done = await act.run();
    if (!done) return;
    key.current = crypto.randomUUID();
    setIssued(done);
    setRow({});
    setChecked(false);
  };
  const type = (name: string, value: string) => {
    if (act.failure) key.current = crypto.randomUUID();
    setRow((before) => ({ ...before, [name]: value }));
  };
  return (
    <div className="stack">
      {issued ? (
        <div className="notice" role="status">
          <strong><bdi>{t('issue.one.done', { name: issued.recipientName ?? issued.id })}</bdi></strong>
          <span>{t('issue.one.done.text')}</span>
          <Link className="button" data-size="small" to={paths.credential(issued.id)}>{t('issue.one.open')}</Link>
        </div>
      ) : null}
      <form ref={form} className="card issue-form" onSubmit={(event) => void submit(event)} noValidate>
        {template.columns.map((one) => (
          <TextField key={one.name} name={one.name} dir="auto" type={inputType(one.name)} value={row[one.name] ?? ''} maxLength={one.charactersMax || undefined} required={one.required} autoComplete="off"
            label={one.required ? one.label : <>{one.label} <span className="soft small">({t('issue.optional')})</span></>}
            hint={inputType(one.name) === 'date' ? undefined : t('issue.example', { example: one.example })}
            wrong={checked && missing(one.name, one.required) ? t('issue.required') : messageFor(act.failure, one.name)}
            onChange={(event) => type(one.name, event.target.value)} />
        ))}
        {act.failure ? <div className="wide"><Problem failure={act.failure} /></div> : null}
        <div className="wide row">
          <Button type="submit" kind="main" disabled={act.busy}>{t(act.busy ? 'issue.one.busy' : 'issue.one.submit')}</Button>
        </div>
      </form>
    </div>
  );
}

const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export const sampleOf = (template: Pick<Template, 'columns'>): string =>
  `${template.columns.map((one) => cell(one.name)).join(',')}\r\n${template.columns.map((one) => cell(one.example)).join(',')}\r\n`;

function Many({ template }: { template: Template }) {
  const t = useT();
  const { tenant } = useSession();
  const [file, setFile] = useState<File | null>(null);
  const [checked, setChecked] = useState(false);
  const act = useAct((table: File) =>
    call('POST /api/v1/batches', { query: { tenant, template: template.id }, body: table, contentType: 'text/csv' }),
  );
  const wrong = !file ? t('issue.many.choose') : file.size > FILE_BYTES_MAX ? t('issue.many.large') : null;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!file || wrong) return;
    const job = await act.run(file);
    if (job) go(paths.job(job.id));
  };
  // The mark at the start tells spreadsheet programs that the text is UTF-8.
  const sample = () => save(new Blob(['\uFEFF', sampleOf(template)], { type: 'text/csv' }), `${template.id}.csv`);
  return (
    <div className="stack">
      <form className="card stack" onSubmit={(event) => void submit(event)} noValidate>
        <TextField label={t('issue.many.file')} type="file" accept=".csv,text/csv" hint={t('issue.many.text')} wrong={checked ? wrong : null} onChange={(event) => setFile(event.target.files?.[0] ?? null)} />
        <div className="stack">
          <h2>{t('issue.many.columns')}</h2>
          <ul className="issue-columns">
            {template.columns.map((one) => <li key={one.name}><code>{one.name}</code> {one.label}{one.required ? null : <span className="soft small"> ({t('issue.optional')})</span>}</li>)}
          </ul>
        </div>
        {act.failure ? <Problem failure={act.failure} /> : null}
        <div className="row">
          <Button type="submit" kind="main" disabled={act.busy}>{t(act.busy ? 'issue.many.busy' : 'issue.many.submit')}</Button>
          <Button kind="quiet" onClick={sample}>{t('issue.many.sample')}</Button>
        </div>
      </form>
      <RecentJobs />
    </div>
  );
}
