// Bundles every src/**/*.test.ts(x) with the app's own bundler and runs them with Node's test runner: no test
// framework to install. Arguments go to `node --test`.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'node_modules/.selo-tests');

function found(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return found(path);
    return /\.test\.tsx?$/.test(name) ? [path] : [];
  });
}

const tests = found(join(root, 'src'));
if (tests.length === 0) throw new Error('No tests were found.');
rmSync(out, { recursive: true, force: true });
await build({
  root,
  logLevel: 'warn',
  build: {
    ssr: true,
    outDir: out,
    minify: false,
    rollupOptions: {
      input: Object.fromEntries(tests.map((path) => [basename(path).replace(/\.tsx?$/, ''), path])),
      output: { entryFileNames: '[name].mjs', chunkFileNames: 'shared/[name].mjs' },
    },
  },
});
const files = tests.map((path) => join(out, `${basename(path).replace(/\.tsx?$/, '')}.mjs`));
const run = spawnSync(process.execPath, ['--test', ...process.argv.slice(2), ...files], { stdio: 'inherit', cwd: root });
process.exit(run.status ?? 1);
