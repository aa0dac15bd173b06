// The browser's address as state, and links that change it without loading the page again. What is small we write:
// the pages are known in paths.ts, so nothing here needs patterns.
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';
import { forTenant } from './paths.ts';

const MOVED = 'selo:moved';

function subscribe(listener: () => void) {
  addEventListener('popstate', listener);
  addEventListener(MOVED, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(MOVED, listener);
  };
}

const here = () => location.href;

export const useAddress = (): URL => new URL(useSyncExternalStore(subscribe, here, () => 'http://localhost/'));

let tenantInLinks: string | null = null;
/** Set by the session when several institutions are there: every link then carries the chosen one. */
export const carryTenant = (tenant: string | null): void => {
  tenantInLinks = tenant;
};

export const linkTo = (path: string): string => forTenant(path, tenantInLinks);

export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  const target = linkTo(path);
  if (how === 'replace') history.replaceState(null, '', target);
  else {
    history.pushState(null, '', target);
    scrollTo(0, 0);
  }
  dispatchEvent(new Event(MOVED));
}

type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & { to: string };

export function Link({ to, onClick, ...rest }: LinkProps) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    go(to);
  };
  return <a href={linkTo(to)} onClick={click} {...rest} />;
}
