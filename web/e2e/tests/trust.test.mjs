// `https://localhost` of a house that certifies itself: a browser warns, until `selo trust install` was run for its user.

import assert from "node:assert/strict";
import { mkdir, mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { openBrowser, openPage } from "../lib/browser.mjs";
import { House, freePort, until } from "../lib/house.mjs";

const SOON_MS = 20_000;

let house;
before(async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "selo-trust-"));
  house = new House(folder, await freePort(), await freePort());
  house.publicUrl = `https://localhost:${house.publicUrl.split(":").pop()}`;
  const user = path.join(folder, "user");
  await mkdir(user);
  Object.assign(house.environment, { HOME: user, SELO_HTTP_PUBLIC_TLS: "own" });
  await house.run("init", "--public-url", house.publicUrl);
  await house.run("pki", "init", "--out", path.join(folder, "ca"));
  await house.start();
});
after(() => house.close());

/** What the user's browser says of the house's page: its heading, or why it does not show it. */
async function visit() {
  const browser = await openBrowser({ HOME: house.environment.HOME });
  try {
    const page = await openPage(browser);
    const answer = await page.goto(`${house.publicUrl}/`).catch((error) => error.message);
    if (typeof answer === "string") return answer;
    const { protocol, issuer } = await answer.securityDetails();
    return { status: answer.status(), protocol, issuer, title: await page.title() };
  } finally {
    await browser.close();
  }
}

test("a browser opens https://localhost without a warning after selo trust install, and warns before and afterwards", async () => {
  assert.match(String(await visit()), /ERR_CERT_AUTHORITY_INVALID/);
  const { roots } = await house.run("trust", "install", "--browser", "--yes");
  assert.deepEqual(roots.map((root) => root.trustedIn.length), [1]);
  const { found } = await until(async () => {
    const seen = await visit();
    return typeof seen === "object" && seen;
  }, SOON_MS, "the browser shows the page");
  assert.equal(found.status, 200);
  assert.equal(found.protocol, "TLS 1.3");
  assert.match(found.issuer, /^Selo dev Issuing/);
  assert.ok(found.title.length > 0);
  await house.run("trust", "remove", "--browser", "--yes");
  assert.match(String(await visit()), /ERR_CERT_AUTHORITY_INVALID/);
});
