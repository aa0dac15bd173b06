// The pieces every page is made of. They know words and failures, and nothing of routes or of the house.
import { useEffect, useId, useRef, type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';
import type { Failure } from '../api/errors.ts';
import { isKey, useT } from '../words/index.ts';
import './pieces.css';

export function Seal({ size = 32 }: { size?: number }) {
  return (
    <svg viewBox="0 0 48 48" width={size} height={size} aria-hidden="true" focusable="false">
      <circle cx="24" cy="24" r="22" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="3.4 2.1" />
      <circle cx="24" cy="24" r="17.5" fill="currentColor" />
      <path d="M16 24.5l5.6 5.6L32.6 18" fill="none" stroke="var(--surface)" strokeWidth="3.4" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

type Kind = 'main' | 'plain' | 'danger' | 'danger-quiet' | 'quiet';
type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: Kind; size?: 'normal' | 'small' };

export function Button({ kind = 'plain', size = 'normal', type = 'button', ...rest }: ButtonProps) {
  return <button className="button" data-kind={kind} data-size={size} type={type} {...rest} />;
}

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  wrong?: string | null | undefined;
}

function describe(id: string, hint: ReactNode, wrong: string | null | undefined) {
  const parts = [wrong ? `${id}-wrong` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ');
  return { id, 'aria-describedby': parts || undefined, 'aria-invalid': wrong ? true : undefined };
}

function Around({ id, label, hint, wrong, children }: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {hint ? <span className="hint" id={`${id}-hint`}>{hint}</span> : null}
      {wrong ? <span className="wrong" id={`${id}-wrong`}>{wrong}</span> : null}
    </div>
  );
}

export function TextField({ label, hint, wrong, ...rest }: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Around id={id} label={label} hint={hint} wrong={wrong}>
      <input {...rest} {...describe(id, hint, wrong)} />
    </Around>
  );
}

export function TextArea({ label, hint, wrong, ...rest }: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <Around id={id} label={label} hint={hint} wrong={wrong}>
      <textarea {...rest} {...describe(id, hint, wrong)} />
    </Around>
  );
}

export function SelectField({ label, hint, wrong, ...rest }: FieldProps & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <Around id={id} label={label} hint={hint} wrong={wrong}>
      <select {...rest} {...describe(id, hint, wrong)} />
    </Around>
  );
}

const TONES: Record<string, 'good' | 'pause' | 'bad' | 'off'> = {
  issued: 'good', done: 'good', suspended: 'pause', running: 'pause', queued: 'off', revoked: 'bad', failed: 'bad',
};

function Mark({ tone }: { tone: string }) {
  const common = { fill: 'none', stroke: 'currentColor', strokeWidth: 2, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;
  const shape =
    tone === 'good' ? <path {...common} d="M2.5 6.5l2.4 2.4 4.6-5.2" />
    : tone === 'pause' ? <path {...common} d="M4 3v6M8 3v6" />
    : tone === 'bad' ? <path {...common} d="M3 3l6 6M9 3l-6 6" />
    : <path {...common} d="M3 6h6" />;
  return <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">{shape}</svg>;
}

/** A status never speaks by its colour alone. */
export function Chip({ family, value }: { family: 'status' | 'standing' | 'outcome' | 'job'; value: string }) {
  const t = useT();
  const key = `${family}.${value}`;
  const tone = TONES[value] ?? 'off';
  return <span className="chip" data-tone={tone}><Mark tone={tone} />{isKey(key) ? t(key) : value}</span>;
}

/** Text in which `this` is set as code. */
export function Coded({ text }: { text: string }) {
  return text.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

export function Problem({ failure, again, title }: { failure: Failure; again?: () => void; title?: string }) {
  const t = useT();
  return (
    <div className="notice" data-tone="bad" role="alert">
      <strong>{title ?? t('error.title')}</strong>
      <span><Coded text={`${failure.message} ${failure.remedy}`} /></span>
      {failure.details.length > 0 ? (
        <ul>{failure.details.map((one, index) => <li key={index}>{one.field ? <><code>{one.field}</code> </> : null}{one.message}</li>)}</ul>
      ) : null}
      <span className="small soft">{failure.code}{failure.requestId ? ` · ${t('error.request', { id: failure.requestId })}` : ''}</span>
      {again ? <Button size="small" onClick={again}>{t('error.retry')}</Button> : null}
    </div>
  );
}

export function Waiting() {
  return <p className="waiting" role="status">{useT()('app.loading')}</p>;
}

/** The browser's own dialog: it keeps the focus inside and closes with Escape. */
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); close(); }}>
      <div className="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** A link that leaves this app. */
export function Outside({ href, children, label }: { href: string; children: ReactNode; label?: string }) {
  const t = useT();
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
      <span aria-hidden="true"> ↗</span>
      <span className="hidden"> {label ? `: ${label}` : ''} ({t('app.newtab')})</span>
    </a>
  );
}
