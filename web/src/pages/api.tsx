// The API reference, drawn from the contract that this house itself serves. Trying a call sends it for real, with the
// person's own session; nothing is loaded from anywhere else.
import { useDeferredValue, useEffect, useState, type FormEvent } from 'react';
import { Failure, failureOf, failureOfThrown } from '../api/errors.ts';
import { number } from '../lib/format.ts';
import { useAct, useLoad } from '../lib/load.ts';
import { Button, Coded, Problem, TextArea, TextField, Waiting } from '../ui/pieces.tsx';
import { currentLang, isKey, useLang, useT, type Translate } from '../words/index.ts';
import { addressOf, curlOf, groupsOf, linesOf, matching, operationsOf, type Contract, type Operation, type Schema } from './api-model.ts';
import './api.css';

const CONTRACT = '/openapi.json';
const SHOWN_CHARACTERS_MAX = 200_000;

async function contractOf(signal: AbortSignal): Promise<Contract> {
  const response = await fetch(CONTRACT, { signal, headers: { accept: 'application/json' } });
  if (!response.ok) throw await failureOf(response, currentLang());
  return (await response.json()) as Contract;
}

const groupName = (t: Translate, group: string) => {
  const key = `api.group.${group}`;
  return isKey(key) ? t(key) : group;
};

export default function ApiPage() {
  const t = useT();
  const load = useLoad(CONTRACT, contractOf);
  const [typed, setTyped] = useState('');
  const text = useDeferredValue(typed);
  const contract = load.data;
  const operations = contract ? matching(operationsOf(contract), text) : [];
  const groups = groupsOf(operations);
  useEffect(() => {
    if (!contract) return;
    const open = () => {
      const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
      if (target instanceof HTMLDetailsElement) {
        target.open = true;
        target.scrollIntoView();
      }
    };
    open();
    addEventListener('hashchange', open);
    return () => removeEventListener('hashchange', open);
  }, [contract]);
  if (load.failure) return <Problem failure={load.failure} again={load.again} />;
  if (!contract) return <Waiting />;
  return (
    <>
      <div className="head">
        <div><h1>{t('api.title')}</h1><p className="lead">{t('api.lead')}</p></div>
        <a href={CONTRACT} download="selo-openapi.json">{t('api.contract')}</a>
      </div>
      <div className="api">
        <div className="api-side">
          <TextField label={t('api.search')} type="search" value={typed} onChange={(event) => setTyped(event.target.value)} />
          <nav aria-label={t('api.groups')}>
            {groups.map(([group, inside]) => (
              <div key={group}>
                <h2>{groupName(t, group)}</h2>
                <ul>{inside.map((one) => <li key={one.anchor}><a href={`#${one.anchor}`}><Method name={one.method} /><span>{one.path.replace('/api/v1', '').replaceAll('/', '/\u200B')}</span></a></li>)}</ul>
              </div>
            ))}
          </nav>
        </div>
        <div>
          {groups.length === 0 ? <p className="soft" role="status">{t('api.search.none', { text })}</p> : null}
          {groups.map(([group, inside]) => (
            <section key={group} className="api-group">
              <h2>{groupName(t, group)}</h2>
              {inside.map((one) => <OperationCard key={one.anchor} contract={contract} one={one} />)}
            </section>
          ))}
        </div>
      </div>
    </>
  );
}

const Method = ({ name }: { name: string }) => <span className="method" data-method={name}>{name === 'DELETE' ? 'DEL' : name}</span>;

function OperationCard({ contract, one }: { contract: Contract; one: Operation }) {
  const t = useT();
  const [opened, setOpened] = useState(false);
  return (
    <details id={one.anchor} className="card api-operation" onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>
        <Method name={one.method} />
        <span className="api-path">{one.path}</span>
        <span className="api-summary"><Coded text={one.summary} /></span>
      </summary>
      {opened ? (
        <div className="stack">
          {one.description ? <p><Coded text={one.description} /></p> : null}
          {one.body?.schema ? <Lines title={`${t('api.body')} · ${one.body.type}`} contract={contract} schema={one.body.schema} /> : null}
          <div className="stack">
            <h3>{t('api.answer')}: {one.answers.map((answer) => answer.status).join(', ')}</h3>
            {one.answers.filter((answer) => answer.status.startsWith('2')).map((answer) =>
              answer.schema ? <Lines key={answer.status} contract={contract} schema={answer.schema} title={`${t('api.form.value')} · ${answer.status} · ${answer.type}`} /> : null,
            )}
          </div>
          <Try one={one} />
        </div>
      ) : null}
    </details>
  );
}

function Lines({ title, contract, schema }: { title: string; contract: Contract; schema: Schema }) {
  const t = useT();
  const lines = linesOf(contract, schema);
  if (lines.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      <ul className="api-lines">
        {lines.map((line, index) => (
          <li key={index} data-depth={line.depth}>
            <code>{line.name}</code>
            <span className="soft">{line.type}{line.required ? ` · ${t('api.required')}` : ''}</span>
            {line.description ? <span><Coded text={line.description} /></span> : null}
          </li>
        ))}
      </ul>
    </details>
  );
}

interface Answer {
  status: string;
  ms: number;
  headers: string;
  body: string;
}

async function send(one: Operation, target: string, body: string, t: Translate): Promise<Answer> {
  const headers = new Headers({ 'accept-language': currentLang() });
  if (one.body) headers.set('content-type', one.body.type);
  const started = performance.now();
  const init: RequestInit = { method: one.method, headers, credentials: 'same-origin' };
  if (one.body) init.body = body;
  const response = await fetch(target, init);
  const type = response.headers.get('content-type') ?? '';
  const bytes = await response.blob();
  const ms = Math.round(performance.now() - started);
  const readable = /json|text|xml/.test(type) || type === '';
  const text = readable ? (await bytes.text()).slice(0, SHOWN_CHARACTERS_MAX) : t('api.bytes', { size: number(bytes.size, currentLang()), type });
  return { status: `${response.status} ${response.statusText}`.trim(), ms, headers: [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n'), body: pretty(text, type) };
}

function pretty(text: string, type: string): string {
  if (!type.includes('json')) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Try({ one }: { one: Operation }) {
  const t = useT();
  useLang();
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState(one.body?.example ?? '');
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [checked, setChecked] = useState(false);
  const target = addressOf(one, values);
  const act = useAct(async () => {
    setAnswer(null);
    try {
      setAnswer(await send(one, target, body, t));
    } catch (thrown) {
      throw thrown instanceof Failure ? thrown : failureOfThrown(thrown, currentLang());
    }
  });
  const missing = (name: string, required?: boolean) => checked && required && !values[name];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (one.parameters.some((parameter) => parameter.required && !values[parameter.name])) return;
    void act.run();
  };
  const curl = curlOf(one, `${location.origin}${target}`, body);
  return (
    <form className="api-try" onSubmit={submit} noValidate>
      <h3>{t('api.try')}</h3>
      <div className="api-inputs">
        {one.parameters.map((parameter) => (
          <TextField key={`${parameter.in} ${parameter.name}`} autoComplete="off" spellCheck={false} value={values[parameter.name] ?? ''} required={parameter.required ?? false}
            label={<><code>{parameter.name}</code> <span className="soft small">{t(`api.in.${parameter.in}`)}{parameter.required ? `, ${t('api.required')}` : ''}</span></>}
            hint={parameter.description ? <Coded text={parameter.description} /> : undefined}
            wrong={missing(parameter.name, parameter.required) ? t('issue.required') : null}
            onChange={(event) => setValues((before) => ({ ...before, [parameter.name]: event.target.value }))} />
        ))}
      </div>
      {one.body ? <TextArea className="mono" label={`${t('api.body')} (${one.body.type})`} rows={Math.min(12, Math.max(4, body.split('\n').length))} spellCheck={false} value={body} onChange={(event) => setBody(event.target.value)} /> : null}
      <div className="row">
        <Button type="submit" kind={one.method === 'DELETE' ? 'danger' : 'main'} disabled={act.busy}>{t(act.busy ? 'api.busy' : one.method === 'GET' ? 'api.send' : 'api.send.changes')}</Button>
      </div>
      <div className="stack">
        <div className="row"><h3>{t('api.curl')}</h3><Copy text={curl} /></div>
        <pre tabIndex={0}><code>{curl}</code></pre>
      </div>
      {act.failure ? <Problem failure={act.failure} /> : null}
      {answer ? (
        <section className="stack" aria-live="polite">
          <p><strong>{t('api.status')}: {answer.status}</strong> <span className="soft">{t('api.time', { ms: answer.ms })}</span></p>
          <details><summary>{t('api.headers')}</summary><pre tabIndex={0}><code>{answer.headers}</code></pre></details>
          <div className="stack"><h3>{t('api.result')}</h3><pre tabIndex={0}><code>{answer.body}</code></pre></div>
        </section>
      ) : null}
    </form>
  );
}

function Copy({ text }: { text: string }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => setCopied(false));
  return <Button size="small" onClick={() => void copy()}><span role="status">{t(copied ? 'api.copied' : 'api.copy')}</span></Button>;
}
