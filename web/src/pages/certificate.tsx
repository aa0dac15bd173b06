// One certificate: whose it is, how much of its life is over, who signed it, what happened to it with the proof of that,
// and the way to revoke it.
import { useState, type FormEvent } from 'react';
import { call, type Data } from '../api/client.ts';
import { messageFor } from '../api/errors.ts';
import { distance, instant, number, save } from '../lib/format.ts';
import { useAct, useLoad } from '../lib/load.ts';
import { paths } from '../lib/paths.ts';
import { Link } from '../lib/router.tsx';
import { Button, Chip, Dialog, Problem, SelectField, TextField, Waiting } from '../ui/pieces.tsx';
import { isKey, useLang, useT, type Key } from '../words/index.ts';
import { isRevocable, paired, REASONS, standingOf } from './authority-model.ts';
import { Life } from './authority.tsx';

type Detail = Data<'GET /api/v1/pki/certificates/{id}'>;
type Happening = Data<'GET /api/v1/pki/certificates/{id}/timeline'>['items'][number];

export default function CertificatePage({ id }: { id: string }) {
  const t = useT();
  const load = useLoad(id, async (signal) => {
    const [one, told, authorities] = await Promise.all([
      call('GET /api/v1/pki/certificates/{id}', { path: { id }, signal }),
      call('GET /api/v1/pki/certificates/{id}/timeline', { path: { id }, signal }),
      call('GET /api/v1/pki/authorities', { signal }),
    ]);
    return { one, told: told.items, authorities: authorities.items };
  });
  const [asks, setAsks] = useState(false);
  const [said, setSaid] = useState('');
  if (!load.data) return load.failure ? <Problem failure={load.failure} again={load.again} /> : <Waiting />;
  const { one, told, authorities } = load.data;
  const now = Date.now();
  const title = one.subject || one.names[0] || one.serial;
  const signer = authorities.find((authority) => authority.id === one.authority);
  const above = authorities.find((authority) => authority.id === signer?.parent);
  const pem = one.chain ?? one.certificate;
  return (
    <>
      <Link className="credential-back small" to={paths.certificates()}>← {t('cert.back')}</Link>
      <div className="head">
        <div className="stack cert-head">
          <div className="row"><h1><bdi>{title}</bdi></h1><Chip family="standing" value={standingOf(one, now)} /></div>
          <div className="row">
            {pem ? <Button size="small" onClick={() => save(new Blob([pem], { type: 'application/x-pem-file' }), `${fileName(title)}.pem`)}>{t('cert.pem')}</Button> : null}
            {one.certificate ? <ProofButton id={one.id} name={title} /> : null}
          </div>
        </div>
        {isRevocable(one) ? <Button kind="danger-quiet" onClick={() => setAsks(true)}>{t('cert.revoke')}</Button> : null}
      </div>
      {load.failure ? <Problem failure={load.failure} again={load.again} /> : null}
      <p className="hidden" role="status">{said}</p>
      <LifeCard one={one} now={now} />
      <div className="credential">
        <Fields one={one} signers={[signer?.name, above?.name].filter((name) => name !== undefined)} />
        <Timeline told={told} one={one} />
      </div>
      {asks ? <RevokeDialog id={one.id} title={title} close={() => setAsks(false)} done={(count) => { setAsks(false); setSaid(t('cert.revoked.done', { count })); load.again(); }} /> : null}
    </>
  );
}

/** Letters and digits that every file system takes. */
export const fileName = (title: string): string => title.replaceAll(/[^A-Za-z0-9.-]+/g, '_').replace(/^[._]+/, '') || 'certificate';

function ProofButton({ id, name }: { id: string; name: string }) {
  const t = useT();
  const proof = useAct(async () => save(await call('GET /api/v1/pki/certificates/{id}/proof', { path: { id } }), `${fileName(name)}.tlog-proof`));
  return (
    <>
      <Button size="small" disabled={proof.busy} onClick={() => void proof.run()}>{t('detail.proof')}</Button>
      {proof.failure ? <Problem failure={proof.failure} /> : null}
    </>
  );
}

function LifeCard({ one, now }: { one: Detail; now: number }) {
  const t = useT();
  const lang = useLang();
  const moments: readonly [Key, string][] = [['cert.from', one.notBefore], ['cert.renew', one.renewAt], ['cert.until', one.notAfter]];
  return (
    <section className="card cert-life" aria-label={t('cert.life')}>
      <Life from={one.notBefore} until={one.notAfter} renew={one.renewAt} now={now} />
      <dl className="cert-moments">
        {moments.map(([key, time]) => (
          <div key={key}>
            <dt className="soft small">{t(key)}</dt>
            <dd>{instant(time, lang)}</dd>
            <dd className="soft small">{distance(time, now, lang)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Fields({ one, signers }: { one: Detail; signers: string[] }) {
  const t = useT();
  const reason = `reason.${one.reason ?? ''}`;
  const lang = useLang();
  return (
    <section className="card stack">
      <h2>{t('cert.fields')}</h2>
      <dl className="definitions">
        <dt>{t('cert.names')}</dt>
        <dd>{one.names.length > 0 ? <ul>{one.names.map((name) => <li key={name}><bdi>{name}</bdi></li>)}</ul> : '–'}</dd>
        <dt>{t('certs.column.profile')}</dt><dd>{one.profile}</dd>
        <dt>{t('certs.column.owner')}</dt><dd dir="auto">{one.owner || '–'}</dd>
        {one.revokedAt ? <><dt>{t('cert.revoked')}</dt><dd>{instant(one.revokedAt, lang)}{isKey(reason) ? ` · ${t(reason)}` : ''}</dd></> : null}
        {one.invalidSince ? <><dt>{t('cert.invalidSince')}</dt><dd>{instant(one.invalidSince, lang)}</dd></> : null}
        <dt>{t('cert.chain')}</dt>
        <dd><ol className="cert-chain">{[one.subject || one.serial, ...signers].map((name, index) => <li key={index}>{name}</li>)}</ol></dd>
        <dt>{t('cert.source')}</dt><dd>{one.source}</dd>
        <dt>{t('cert.serial')}</dt><dd className="mono">{paired(one.serial)}</dd>
        <dt>{t('cert.key')}</dt><dd className="mono">{paired(one.spkiSha256)}</dd>
        <dt>{t('detail.field.id')}</dt><dd className="mono">{one.id}</dd>
      </dl>
      {one.certificate ? <details><summary>{t('cert.shown')}</summary><pre tabIndex={0}><code>{one.certificate}</code></pre></details> : null}
    </section>
  );
}

function Timeline({ told, one }: { told: Happening[]; one: Detail }) {
  const t = useT();
  const lang = useLang();
  const [said, setSaid] = useState('');
  const proof = useAct(async (id: string) => {
    save(await call('GET /api/v1/audit/proof/{id}', { path: { id } }), `${id}.tlog-proof`);
    return true;
  });
  return (
    <section className="card stack">
      <h2>{t('detail.history')}</h2>
      <ol className="history">
        {told.map((event) => {
          const key = `happened.${event.what}`;
          const name = isKey(key) ? t(key) : event.what;
          const reason = `reason.${event.reason ?? ''}`;
          const { fact } = event;
          return (
            <li key={event.what + event.at}>
              <strong>{name}{isKey(reason) ? ` · ${t(reason)}` : ''}</strong>
              <span className="soft small">{instant(event.at, lang)}</span>
              <span className="soft small break">{t('detail.history.by', { actor: event.actor })}</span>
              {fact ? (
                <span className="small">
                  {event.index == null ? <span className="soft">{t('cert.leaf.waits')}</span> : <span className="soft">{t('cert.leaf', { index: number(event.index, lang) })}</span>}{' '}
                  <button type="button" className="link-button" disabled={proof.busy} aria-label={t('detail.proof.of', { name })} onClick={() => void proof.run(fact).then((done) => done && setSaid(t('detail.proof.done')))}>{t('detail.proof')}</button>
                </span>
              ) : null}
            </li>
          );
        })}
      </ol>
      {proof.failure ? <Problem failure={proof.failure} /> : null}
      <p className="hidden" role="status">{said}</p>
      <p className="soft small">{t('detail.evidence.text')}</p>
      <Link to={paths.audit({ resource: one.id })}>{t('detail.record')}</Link>
    </section>
  );
}

function RevokeDialog({ id, title, close, done }: { id: string; title: string; close: () => void; done: (count: number) => void }) {
  const t = useT();
  const [reason, setReason] = useState<string>('');
  const [typed, setTyped] = useState('');
  const [isChecked, setChecked] = useState(false);
  const word = t('cert.revoke.word');
  const isSure = typed.trim().toLowerCase() === word;
  const act = useAct(() => call('POST /api/v1/pki/certificates/{id}/revoke', { path: { id }, body: { reason } }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!reason || !isSure) return;
    const revoked = await act.run();
    if (revoked) done(revoked.items.length);
  };
  return (
    <Dialog title={t('cert.revoke.title')} close={close}>
      <p><strong><bdi>{title}</bdi></strong></p>
      <p className="soft">{t('cert.revoke.text')}</p>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <SelectField label={t('change.reason')} value={reason} required autoFocus wrong={isChecked && !reason ? t('cert.revoke.choose') : messageFor(act.failure, 'reason')} hint={reason === 'keyCompromise' ? t('cert.revoke.compromise') : undefined} onChange={(event) => setReason(event.target.value)}>
          <option value="" disabled>{t('cert.revoke.reason')}</option>
          {REASONS.map((one) => <option key={one} value={one}>{t(`reason.${one}`)}</option>)}
        </SelectField>
        <TextField label={t('danger.confirm.label', { word })} value={typed} autoComplete="off" autoCapitalize="off" spellCheck={false} wrong={isChecked && !isSure ? t('cert.revoke.type', { word }) : null} onChange={(event) => setTyped(event.target.value)} />
        {act.failure ? <Problem failure={act.failure} /> : null}
        <div className="row">
          <Button onClick={close}>{t('dialog.cancel')}</Button>
          <Button type="submit" kind="danger" disabled={act.busy}>{t('cert.revoke.button')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
