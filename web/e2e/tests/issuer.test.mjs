// The issuer's list: in by a one-time link, see what was issued, take one back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, assertQuiet, desktop, openBrowser, openPage, phone, shot } from "../lib/browser.mjs";
import { house } from "../lib/here.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

/** Enters by a new one-time link and waits for the list. */
async function enter(options) {
  const page = await openPage(browser, options);
  await page.goto(await house.link());
  await page.getByRole("table").or(page.getByRole("list")).first().waitFor();
  return page;
}

test("the link shows the list of what was issued", async () => {
  const page = await enter({});
  const text = await page.locator("body").innerText();
  assert.match(text, /Ana Conceição|João Baptista/);
  assert.ok(!page.url().includes("once_"), "the token stays in the address");
  const cookies = await page.context().cookies();
  const session = cookies.find(({ name }) => name === "__Host-selo-session");
  assert.ok(session?.httpOnly && session.secure && session.sameSite === "Lax", "the session's cookie is not closed");
  assertQuiet(page);
  await page.context().close();
});

test("the link opens the door once only", async () => {
  const link = await house.link();
  const first = await openPage(browser);
  await first.goto(link);
  await first.getByRole("table").or(first.getByRole("list")).first().waitFor();
  await first.context().close();
  const second = await openPage(browser);
  await second.goto(link);
  await second.waitForLoadState("networkidle");
  assert.doesNotMatch(await second.locator("body").innerText(), /Ana Conceição/);
  await second.context().close();
});

test("without a session nothing of the list is told", async () => {
  const page = await openPage(browser);
  await page.goto(`${house.adminUrl}/`);
  await page.waitForLoadState("networkidle");
  assert.doesNotMatch(await page.locator("body").innerText(), /Ana Conceição/);
  const answer = await fetch(`${house.adminUrl}/api/v1/credentials`);
  assert.equal(answer.status, 401);
  await page.context().close();
});

test("the list is whole for everybody", async () => {
  for (const lang of ["en", "pt"]) {
    for (const [width, viewport] of Object.entries({ desktop, phone })) {
      for (const dark of [false, true]) {
        const page = await enter({ lang, viewport, dark });
        await assertFits(page);
        await assertAccessible(page);
        await shot(page, `issuer-${lang}-${width}-${dark ? "dark" : "light"}`);
        assertQuiet(page);
        await page.context().close();
      }
    }
  }
});

test("the public zone knows nothing of the admin's pages", async () => {
  for (const target of ["/api/v1/credentials", "/api/v1/session", "/openapi.json", "/metrics"]) {
    const answer = await fetch(`${house.publicUrl}${target}`);
    assert.equal(answer.status, 404, target);
  }
});
