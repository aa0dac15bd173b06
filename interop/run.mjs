// Strangers judge what Selo signs, and Selo judges what strangers sign.
//
// With SELO_INTEROP_DIR (a folder of `*.json` credentials, their lists in `status/*.json`) and SELO_INTEROP_URL (the house
// that serves further lists) they are judged as they are. Without, the runner makes a house with SELO_BIN, issues
// SELO_INTEROP_COUNT diplomas (1,000), revokes and suspends some, and keeps it running meanwhile.

import { spawn } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { openHouse } from "../web/e2e/lib/house.mjs";
import { table } from "./lib/diplomas.mjs";

const here = import.meta.dirname;
const count = Number(process.env.SELO_INTEROP_COUNT ?? 1000);
const environment = { ...process.env };
let house;
let runner;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    runner?.kill(signal);
    Promise.resolve(house?.close()).finally(() => process.exit(1));
  });
}

if (!environment.SELO_INTEROP_DIR) {
  house = await openHouse({});
  environment.SELO_INTEROP_DIR = await prepare(house);
  environment.SELO_INTEROP_URL = house.publicUrl;
  environment.SELO_INTEROP_HOME = house.home;
}

/** Issues the diplomas and writes each into a folder; what was done to it stands in its file's name. */
async function prepare({ folder }) {
  const target = path.join(folder, "credentials");
  await mkdir(target);
  const ids = await house.issueTable(table(count));
  if (ids.length !== count) throw new Error(`${ids.length} of ${count} diplomas were issued`);
  const fates = { 3: "revoke", 7: "suspend" };
  for (const [place, id] of ids.entries()) {
    const answer = await house.door("GET", `/api/v1/credentials/${id}/files/credential.json`);
    if (answer.status !== 200) throw new Error(`credential.json of ${id}: ${answer.status}`);
    const fate = place < 100 ? fates[place % 10] : undefined;
    if (fate) await house.data("POST", `/api/v1/credentials/${id}/${fate}`, { reason: "chosen by the test" });
    await writeFile(path.join(target, `${id}${fate ? `.${fate}` : ""}.json`), answer.body);
  }
  return target;
}

const files = (await readdir(path.join(here, "tests"))).filter((file) => file.endsWith(".test.mjs")).sort();
runner = spawn(
  process.execPath,
  ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files.map((file) => path.join("tests", file))],
  { cwd: here, stdio: ["ignore", "inherit", "inherit"], env: environment },
);
const code = await new Promise((resolve) => runner.once("exit", (number) => resolve(number ?? 1)));
if (house) {
  if (code !== 0) console.log(`the house said last:\n${await house.log()}`);
  await house.close();
}
process.exit(code);
