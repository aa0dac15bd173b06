// Selo judges what @digitalbazaar/vc issued: on the command line without network, and through its API.

import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { House } from "../../web/e2e/lib/house.mjs";
import { badge } from "../lib/diplomas.mjs";
import { loader } from "../lib/loader.mjs";
import { issue, issuer, statusList } from "../lib/stranger.mjs";

const url = process.env.SELO_INTEROP_URL;
/** How many the command line judges (each in a process of its own), and how many the API does. */
const BY_COMMAND = 20;
const BY_API = 200;

let folder;
let stranger;
const load = loader();
before(async () => {
  folder = await mkdtemp(path.join(process.env.TMPDIR ?? os.tmpdir(), "selo-stranger-"));
  stranger = await issuer();
});
after(() => rm(folder, { recursive: true, force: true }));

/** `selo` in a home where there is no house: it knows nobody, and judges by the bytes alone. */
async function verify(file, ...words) {
  const selo = new House(folder, 1, 2);
  const { code, stdout, stderr } = await selo.ask("verify", file, ...words);
  assert.ok(stdout, stderr);
  return { code, report: JSON.parse(stdout) };
}

async function signed(number, more = {}) {
  return issue({ ...badge(number, stranger.did), ...more }, stranger, load);
}

async function kept(name, credential) {
  const file = path.join(folder, name);
  await writeFile(file, JSON.stringify(credential));
  return file;
}

test("what a stranger issued is valid on the command line, without network", async () => {
  for (let number = 0; number < BY_COMMAND; number += 1) {
    const { code, report } = await verify(await kept(`peer-${number}.json`, await signed(number)));
    assert.equal(report.outcome, "valid", JSON.stringify(report.checks, null, 1));
    assert.equal(code, 0);
    assert.equal(report.issuer?.id ?? report.issuer, stranger.did);
  }
});

test("the issuer is named as one whom nobody vouches for, and --require-trust refuses", async () => {
  const file = await kept("unknown.json", await signed(BY_COMMAND));
  const { report } = await verify(file);
  const trust = report.checks.find(({ code }) => code === "ISSUER_UNTRUSTED");
  assert.equal(trust?.result, "warn");
  const { code, report: strict } = await verify(file, "--require-trust");
  assert.equal(strict.outcome, "invalid");
  assert.equal(code, 1);
});

test("what was changed after signing is invalid", async () => {
  const credential = await signed(1);
  credential.credentialSubject.achievement.name = "Doctor of Everything";
  const { code, report } = await verify(await kept("changed.json", credential));
  assert.equal(report.outcome, "invalid");
  assert.equal(code, 1);
  assert.ok(report.checks.some(({ result, reason }) => result === "fail" && reason));
});

test("a stranger's status list decides: revoked, in force, and unknown without it", async () => {
  const address = "https://peer.example/status/1";
  const lists = path.join(folder, "lists");
  await mkdir(lists);
  await writeFile(path.join(lists, "1.json"), JSON.stringify(await statusList(address, [42], stranger, load)));
  const entry = (place) => ({
    credentialStatus: {
      id: `${address}#${place}`,
      type: "BitstringStatusListEntry",
      statusPurpose: "revocation",
      statusListIndex: String(place),
      statusListCredential: address,
    },
  });
  const revoked = await verify(await kept("revoked.json", await signed(2, entry(42))), "--status-snapshot", lists);
  assert.equal(revoked.report.outcome, "invalid", JSON.stringify(revoked.report.checks));
  const inForce = await verify(await kept("in-force.json", await signed(3, entry(43))), "--status-snapshot", lists);
  assert.equal(inForce.report.outcome, "valid", JSON.stringify(inForce.report.checks));
  const unknown = await verify(await kept("unreached.json", await signed(4, entry(44))));
  assert.equal(unknown.report.outcome, "unknown");
  assert.equal(unknown.code, 4);
});

if (url) {
  test(`the API finds ${BY_API} of a stranger's credentials valid`, async () => {
    for (let number = 0; number < BY_API; number += 1) {
      const answer = await fetch(`${url}/api/v1/verify`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ credential: await signed(number) }),
      });
      const body = await answer.json();
      assert.equal(body.data?.outcome, "valid", JSON.stringify(body));
    }
  });
}
