// One credential: what was signed, how it looks, what happened to it, the proof of that, and the way to forget the
// person it belongs to.
import { useState, type FormEvent } from 'react';
import { address, call, type Data } from '../api/client.ts';
import { calendarDay, instant, number, save } from '../lib/format.ts';
import { useAct, useLoad } from '../lib/load.ts';
import { paths } from '../lib/paths.ts';
import { Link } from '../lib/router.tsx';
import { useSession } from '../lib/session.tsx';
import { Button, Chip, Dialog, Problem, TextField, Waiting } from '../ui/pieces.tsx';
import { isKey, useLang, useT, type Key } from '../words/index.ts';
import { ChangeButtons, ChangeDialog, type Change } from './change.tsx';
import './credential.css';
import { CredentialLinks } from './list.tsx';

type Detail = Data<'GET /api/v1/credentials/{id}'>;

/** Reads a place of the signed document by JSON pointer (RFC 6901, without escapes); only text and numbers count. */
export function read(document: unknown, pointer: string): string | null {
  let value: unknown = document;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as Record<string, unknown>)[part];
  }
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;
}

const FIELDS: readonly [Key, string][] = [
  ['detail.field.achievement', '/credentialSubject/achievement/name'],
  ['detail.field.study', '/credentialSubject/achievement/fieldOfStudy'],
  ['detail.field.result', '/credentialSubject/result/0/value'],
  ['detail.field.issuer', '/issuer/name'],
];

export function CredentialPage({ id }: { id: string }) {
  const t = useT();
  const { tenant } = useSession();
  const load = useLoad(`${tenant} ${id}`, (signal) => call('GET /api/v1/credentials/{id}', { path: { id }, query: { tenant }, signal }));
  const [change, setChange] = useState<Change | null>(null);
  const one = load.data;
  if (!one) return load.failure ? <Problem failure={load.failure} again={load.again} /> : <Waiting />;
  const erased = one.status === 'erased';
  const name = one.recipientName ?? t('credential.erased');
  return (
    <>
      <Link className="credential-back small" to={paths.list()}>← {t('detail.back')}</Link>
      <div className="head">
        <div className="stack">
          <div className="row"><h1>{erased ? <em>{name}</em> : <bdi>{name}</bdi>}</h1><Chip family="status" value={one.status} /></div>
          <CredentialLinks one={one} name={name} />
        </div>
        <div className="row"><ChangeButtons status={one.status} name={name} choose={setChange} /></div>
      </div>
      {load.failure ? <Problem failure={load.failure} again={load.again} /> : null}
      <div className="credential">
        <div className="stack">
          {erased ? (
            <div className="notice"><strong>{t('detail.erased.title')}</strong><span>{t('detail.erased.text')}</span></div>
          ) : (
            <figure className="card credential-picture">
              <img src={address('GET /api/v1/credentials/{id}/files/{file}', { path: { id, file: 'diploma.png' }, query: { tenant } })} alt={`${t('detail.picture')}: ${name}`} />
            </figure>
          )}
          <Fields one={one} />
        </div>
        <div className="stack">
          <History one={one} />
          {erased ? null : <Danger one={one} done={load.again} />}
        </div>
      </div>
      {change ? <ChangeDialog credential={one} change={change} close={() => setChange(null)} done={() => { setChange(null); load.again(); }} /> : null}
    </>
  );
}

function Fields({ one }: { one: Detail }) {
  const t = useT();
  const lang = useLang();
  const date = read(one.document, '/awardedDate') ?? read(one.document, '/validFrom');
  const known = FIELDS.map(([key, pointer]) => [key, read(one.document, pointer)] as const).filter(([, value]) => value);
  return (
    <section className="card stack">
      <h2>{t('detail.fields')}</h2>
      <dl className="definitions">
        {one.recipientName ? <><dt>{t('detail.field.recipient')}</dt><dd dir="auto">{one.recipientName}</dd></> : null}
        {known.map(([key, value]) => <div key={key} className="contents"><dt>{t(key)}</dt><dd dir="auto">{value}</dd></div>)}
        {date ? <><dt>{t('detail.field.date')}</dt><dd>{calendarDay(date, lang)}</dd></> : null}
        <dt>{t('detail.field.template')}</dt><dd>{one.template}</dd>
        {one.reason ? <><dt>{t('detail.field.reason')}</dt><dd dir="auto">{one.reason}</dd></> : null}
        <dt>{t('detail.field.id')}</dt><dd className="mono">{one.id}</dd>
        <dt>{t('detail.field.person')}</dt><dd className="mono">{one.person}</dd>
      </dl>
      {one.document ? <details><summary>{t('detail.document')}</summary><pre tabIndex={0}><code>{JSON.stringify(one.document, null, 2)}</code></pre></details> : null}
    </section>
  );
}

function History({ one }: { one: Detail }) {
  const t = useT();
  const lang = useLang();
  const proof = useAct(async (id: string) => {
    save(await call('GET /api/v1/audit/proof/{id}', { path: { id } }), `${id}.tlog-proof`);
    return true;
  });
  const [said, setSaid] = useState('');
  const nameOf = (type: string) => {
    const key = `event.${type}`;
    return isKey(key) ? t(key) : type;
  };
  return (
    <section className="card stack">
      <h2>{t('detail.history')}</h2>
      <ol className="history">
        {one.history.map((event) => (
          <li key={event.factId}>
            <strong>{nameOf(event.type)}</strong>
            <span className="soft small">{instant(event.at, lang)}</span>
            <span className="soft small break">{t('detail.history.by', { actor: event.actor })}</span>
            <button type="button" className="link-button" disabled={proof.busy} aria-label={t('detail.proof.of', { name: nameOf(event.type) })}
              onClick={() => void proof.run(event.factId).then((done) => done && setSaid(t('detail.proof.done')))}>{t('detail.proof')}</button>
          </li>
        ))}
      </ol>
      {proof.failure ? <Problem failure={proof.failure} /> : null}
      <p className="hidden" role="status">{said}</p>
      <p className="soft small">{t('detail.evidence.text')}</p>
      <Link to={paths.audit({ resource: one.id })}>{t('detail.record')}</Link>
    </section>
  );
}

function Danger({ one, done }: { one: Detail; done: () => void }) {
  const t = useT();
  const { tenant } = useSession();
  const lang = useLang();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const [said, setSaid] = useState('');
  const word = t('danger.confirm.word');
  const right = typed.trim().toLowerCase() === word;
  const act = useAct(() => call('POST /api/v1/people/{id}/erase', { path: { id: one.person }, query: { tenant } }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!right) return;
    const erased = await act.run();
    if (!erased) return;
    setSaid(t('danger.done', { count: number(erased.credentials, lang) }));
    setOpen(false);
    done();
  };
  return (
    <section className="card stack danger">
      <h2>{t('danger.title')}</h2>
      <p className="soft">{t('danger.text')}</p>
      <div><Button kind="danger-quiet" onClick={() => { setTyped(''); act.clear(); setOpen(true); }}>{t('danger.button')}</Button></div>
      <p role="status" className="hidden">{said}</p>
      {open ? (
        <Dialog title={t('danger.confirm.title')} close={() => setOpen(false)}>
          <p><strong dir="auto">{one.recipientName ?? one.person}</strong></p>
          <p className="soft">{t('danger.confirm.text')}</p>
          <form onSubmit={(event) => void submit(event)}>
            <TextField label={t('danger.confirm.label', { word })} value={typed} autoComplete="off" autoCapitalize="off" spellCheck={false} autoFocus onChange={(event) => setTyped(event.target.value)} />
            {act.failure ? <Problem failure={act.failure} /> : null}
            <div className="row">
              <Button onClick={() => setOpen(false)}>{t('dialog.cancel')}</Button>
              <Button type="submit" kind="danger" disabled={!right || act.busy}>{t('danger.confirm.button')}</Button>
            </div>
          </form>
        </Dialog>
      ) : null}
    </section>
  );
}
