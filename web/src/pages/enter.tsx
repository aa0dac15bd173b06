// The one-time entry. The token stands behind the # of the link, which no browser sends anywhere; it leaves the
// address bar before anything else happens and travels once, in the body of a request.
import { useEffect, useState } from 'react';
import { Failure, failureOfThrown } from '../api/errors.ts';
import { paths } from '../lib/paths.ts';
import { go } from '../lib/router.tsx';
import { useSession } from '../lib/session.tsx';
import { Button, Problem, Seal, Waiting } from '../ui/pieces.tsx';
import { currentLang, useT, type Key } from '../words/index.ts';

export const tokenFrom = (hash: string): string | null => /^#(once_[A-Za-z0-9_-]{8,200})$/.exec(hash)?.[1] ?? null;

let tried: string | null = null;

export function Enter() {
  const t = useT();
  const { enter } = useSession();
  const [token, setToken] = useState(() => tokenFrom(location.hash));
  const [failure, setFailure] = useState<Failure | null>(null);
  const open = (text: string) => {
    setFailure(null);
    enter(text).then(
      () => go(paths.list(), 'replace'),
      (thrown: unknown) => setFailure(failureOfThrown(thrown, currentLang())),
    );
  };
  useEffect(() => {
    const take = () => {
      const found = tokenFrom(location.hash);
      if (location.hash) history.replaceState(null, '', paths.enter());
      if (!found || tried === found) return;
      // Only once, even when the page is drawn twice: the second try of a used link would hide the first's success.
      tried = found;
      setToken(found);
      open(found);
    };
    take();
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  if (!token) return <Door title="enter.missing.title" text="enter.missing.text" />;
  if (!failure) {
    return (
      <section className="door">
        <span className="door-seal"><Seal size={56} /></span>
        <h1>{t('enter.title')}</h1>
        <p className="lead" role="status">{t('enter.wait')}</p>
      </section>
    );
  }
  if (failure.status >= 400 && failure.status < 500 && failure.status !== 429 && failure.code !== 'ONCE_LOOPBACK') {
    return <Door title="enter.used.title" text="enter.used.text" remedy="enter.used.remedy" />;
  }
  return (
    <section className="door">
      <h1>{t('enter.trouble.title')}</h1>
      <Problem failure={failure} />
      <Button onClick={() => open(token)}>{t('error.retry')}</Button>
    </section>
  );
}

export function Stranger() {
  const { state } = useSession();
  return state.kind === 'asking' ? <Waiting /> : <Door title="enter.missing.title" text="enter.missing.text" />;
}

function Door({ title, text, remedy }: { title: Key; text: Key; remedy?: Key }) {
  const t = useT();
  return (
    <section className="door">
      <span className="door-seal"><Seal size={56} /></span>
      <h1>{t(title)}</h1>
      <p className="lead">{t(text)}</p>
      {remedy ? <p>{t(remedy)}</p> : null}
      <pre><code>selo admin link</code></pre>
    </section>
  );
}
