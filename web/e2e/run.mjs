// Runs the browser tests: one house for all of them, one file after the other.
//
// The house is made by SELO_BIN, and told to the test files by SELO_E2E_HOUSE. `node run.mjs tests/verify.test.mjs` runs one.

import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { demoRows, openHouse } from "./lib/house.mjs";

const here = import.meta.dirname;
const named = process.argv.slice(2);
const all = async () => (await readdir(path.join(here, "tests"))).filter((file) => file.endsWith(".test.mjs")).sort();
const files = named.length > 0 ? named : (await all()).map((file) => path.join("tests", file));

const house = await openHouse({ rows: demoRows });
let runner;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    runner?.kill(signal);
    house.close().finally(() => process.exit(1));
  });
}
const { folder, home, publicUrl, adminUrl, tenant, credentials, failedRows, environment } = house;
const told = JSON.stringify({ folder, home, publicUrl, adminUrl, tenant, credentials, failedRows, environment });
runner = spawn(process.execPath, ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files], {
  cwd: here,
  stdio: ["ignore", "inherit", "inherit"],
  env: { ...process.env, SELO_E2E_HOUSE: told },
});
const code = await new Promise((resolve) => runner.once("exit", (number) => resolve(number ?? 1)));
if (code !== 0) console.log(`the house said last:\n${await house.log()}`);
await house.close();
process.exit(code);
