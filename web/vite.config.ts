// One build: hashed names, nothing inline, nothing from elsewhere. `vite` and `vite preview` answer the API from the
// mock; preview also sends the house's own security headers, so that what breaks under them breaks here first.
import react from '@vitejs/plugin-react';
import { defineConfig, type Connect, type Plugin } from 'vite';
import { mock } from './mock/server.ts';

// The same policy as crates/http/src/headers.rs.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const secured: Connect.NextHandleFunction = (_request, response, next) => {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  next();
};

const house = (): Plugin => ({
  name: 'selo-mock-house',
  configureServer: (server) => void server.middlewares.use(mock()),
  configurePreviewServer: (server) => {
    server.middlewares.use(secured);
    server.middlewares.use(mock());
  },
});

export default defineConfig({
  plugins: [react(), house()],
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  preview: { host: '127.0.0.1', port: 4173, strictPort: true },
  build: {
    target: 'es2023',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    sourcemap: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
