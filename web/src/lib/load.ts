// Loading something when a page or its key changes, once at a time: an answer that comes too late is dropped, and
// what is shown stays until the next answer is there.
import { useCallback, useEffect, useRef, useState } from 'react';
import { currentLang } from '../words/index.ts';
import { type Failure, failureOfThrown, isAbort } from '../api/errors.ts';

export interface Loaded<T> {
  data: T | null;
  failure: Failure | null;
  loading: boolean;
  again: () => void;
  replace: (next: (before: T) => T) => void;
}

export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; data: T | null; failure: Failure | null; loading: boolean }>({
    key,
    data: null,
    failure: null,
    loading: true,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ key, data: before.key === key ? before.data : null, failure: null, loading: true }));
    latest.current(stop.signal).then(
      (data) => stop.signal.aborted || setState({ key, data, failure: null, loading: false }),
      (thrown: unknown) => {
        if (stop.signal.aborted || isAbort(thrown)) return;
        const failure = failureOfThrown(thrown, currentLang());
        setState((before) => ({ ...before, failure, loading: false }));
      },
    );
    return () => stop.abort();
  }, [key, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  const replace = useCallback(
    (next: (before: T) => T) => setState((before) => (before.data === null ? before : { ...before, data: next(before.data) })),
    [],
  );
  return { data: state.data, failure: state.failure, loading: state.loading, again, replace };
}

/** One action at a time, for buttons and forms. */
export function useAct<A extends unknown[], T>(act: (...input: A) => Promise<T>) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const running = useRef(false);
  const run = async (...input: A): Promise<T | null> => {
    if (running.current) return null;
    running.current = true;
    setBusy(true);
    setFailure(null);
    try {
      return await act(...input);
    } catch (thrown) {
      setFailure(failureOfThrown(thrown, currentLang()));
      return null;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { run, busy, failure, clear: () => setFailure(null) };
}

export interface Pages<T> {
  items: T[];
  next: string | null;
}

/** A keyset-paged list that grows. */
export function usePages<T>(key: string, page: (token: string | undefined, signal?: AbortSignal) => Promise<{ items: T[]; nextPageToken?: string | null }>) {
  const first = useLoad<Pages<T>>(key, async (signal) => {
    const answer = await page(undefined, signal);
    return { items: answer.items, next: answer.nextPageToken ?? null };
  });
  const now = useRef(key);
  useEffect(() => {
    now.current = key;
  }, [key]);
  const more = useAct(async () => {
    const token = first.data?.next;
    if (!token) return;
    const answer = await page(token);
    if (now.current !== key) return;
    first.replace((before) => ({ items: [...before.items, ...answer.items], next: answer.nextPageToken ?? null }));
  });
  return { ...first, more };
}
