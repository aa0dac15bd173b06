// Who is signed in, and for which institution. The cookie itself is out of reach of scripts; this only knows what the
// house says about it.
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { call, onUnknownCaller, type Data } from '../api/client.ts';
import { Failure, failureOfThrown } from '../api/errors.ts';
import { currentLang } from '../words/index.ts';
import { carryTenant, useAddress } from './router.tsx';

type Session = Data<'GET /api/v1/session'>;
type Tenant = { id: string; name: string };
type State =
  | { kind: 'asking' }
  | { kind: 'stranger' }
  | { kind: 'trouble'; failure: Failure }
  | { kind: 'known'; session: Session; tenants: Tenant[] };

interface SessionContext {
  state: State;
  /** The institution that requests are about. */
  tenant: string | undefined;
  tenantName: string | null;
  ask: () => Promise<void>;
  enter: (token: string) => Promise<void>;
  leave: () => Promise<void>;
}

const TENANTS_MAX = 200;
const Context = createContext<SessionContext | null>(null);

export function useSession(): SessionContext {
  const value = use(Context);
  if (!value) throw new Error('useSession stands outside of SessionProvider');
  return value;
}

async function known(session: Session): Promise<State> {
  if (session.tenant) return { kind: 'known', session, tenants: [session.tenant] };
  const page = await call('GET /api/v1/tenants', { query: { limit: TENANTS_MAX } });
  return { kind: 'known', session, tenants: page.items };
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: 'asking' });
  const asked = useAddress().searchParams.get('tenant');
  const ask = useCallback(async () => {
    try {
      setState(await known(await call('GET /api/v1/session', {})));
    } catch (thrown) {
      const failure = failureOfThrown(thrown, currentLang());
      setState(failure.status === 401 ? { kind: 'stranger' } : { kind: 'trouble', failure });
    }
  }, []);
  const enter = useCallback(async (token: string) => {
    setState(await known(await call('POST /api/v1/session', { body: { token } })));
  }, []);
  const leave = useCallback(async () => {
    try {
      await call('DELETE /api/v1/session', {});
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.status !== 401) throw thrown;
    }
    setState({ kind: 'stranger' });
  }, []);
  useEffect(() => {
    onUnknownCaller(() => setState({ kind: 'stranger' }));
    return () => onUnknownCaller(() => {});
  }, []);
  const value = useMemo<SessionContext>(() => {
    const tenants = state.kind === 'known' ? state.tenants : [];
    const chosen = tenants.find((one) => one.id === asked) ?? tenants[0] ?? null;
    // With only one institution its id would be noise in every address.
    carryTenant(tenants.length > 1 && chosen ? chosen.id : null);
    return { state, tenant: chosen?.id, tenantName: chosen?.name ?? null, ask, enter, leave };
  }, [state, asked, ask, enter, leave]);
  return <Context value={value}>{children}</Context>;
}
