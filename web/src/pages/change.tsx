// Revoke, suspend, reinstate: which of them a credential takes, and the dialog that asks for the reason.
import { useState, type FormEvent } from 'react';
import { call, type Data } from '../api/client.ts';
import { messageFor } from '../api/errors.ts';
import { useAct } from '../lib/load.ts';
import { useSession } from '../lib/session.tsx';
import { Button, Dialog, Problem, TextArea } from '../ui/pieces.tsx';
import { useT } from '../words/index.ts';

export type Summary = Data<'GET /api/v1/credentials'>['items'][number];
export type Change = 'revoke' | 'suspend' | 'reinstate';

const REASON_CHARACTERS_MAX = 500;
const CHANGES: Record<string, readonly Change[]> = { issued: ['suspend', 'revoke'], suspended: ['reinstate', 'revoke'] };

export const changesOf = (status: string): readonly Change[] => CHANGES[status] ?? [];

export function ChangeButtons({ status, name, choose }: { status: string; name: string; choose: (change: Change) => void }) {
  const t = useT();
  return changesOf(status).map((change) => (
    <Button key={change} size="small" kind={change === 'revoke' ? 'danger-quiet' : 'plain'} onClick={() => choose(change)} aria-label={t('change.of', { action: t(`change.${change}`), name })}>
      {t(`change.${change}`)}
    </Button>
  ));
}

interface Props {
  credential: Pick<Summary, 'id' | 'recipientName'>;
  change: Change;
  close: () => void;
  done: (after: Summary) => void;
}

export function ChangeDialog({ credential, change, close, done }: Props) {
  const t = useT();
  const { tenant } = useSession();
  const [reason, setReason] = useState('');
  const act = useAct(() =>
    call(`POST /api/v1/credentials/{id}/${change}`, { path: { id: credential.id }, query: { tenant }, body: { reason: reason.trim() } }),
  );
  const [empty, setEmpty] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!reason.trim()) return setEmpty(true);
    const after = await act.run();
    if (after) done(after);
  };
  return (
    <Dialog title={t(`change.${change}.title`)} close={close}>
      <p><strong dir="auto">{credential.recipientName ?? credential.id}</strong></p>
      <p className="soft">{t(`change.${change}.text`)}</p>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <TextArea label={t('change.reason')} hint={t('change.reason.hint')} value={reason} maxLength={REASON_CHARACTERS_MAX} required autoFocus
          wrong={empty && !reason.trim() ? t('issue.required') : messageFor(act.failure, 'reason')} onChange={(event) => setReason(event.target.value)} />
        {act.failure ? <Problem failure={act.failure} /> : null}
        <div className="row">
          <Button onClick={close}>{t('dialog.cancel')}</Button>
          <Button type="submit" kind={change === 'revoke' ? 'danger' : 'main'} disabled={act.busy}>{t(`change.${change}`)}</Button>
        </div>
      </form>
    </Dialog>
  );
}
