// The public verification page: a stranger sees in a second whether a diploma is genuine.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, assertQuiet, desktop, openBrowser, openPage, phone, shot } from "../lib/browser.mjs";
import { freshCredential, house } from "../lib/here.mjs";
import { readCredential, until } from "../lib/house.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

/** Opens a page, looks at it with `look`, and makes sure that it behaved. */
async function visit(address, options, look) {
  const page = await openPage(browser, options);
  try {
    const answer = await page.goto(address);
    await look(page, answer);
    assertQuiet(page);
  } finally {
    await page.context().close();
  }
}

const verdicts = { en: { valid: /\bVALID\b/, revoked: /\bREVOKED\b/ }, pt: { valid: /\bVÁLID[OA]\b/, revoked: /\bREVOGAD[OA]\b/ } };

for (const [lang, verdict] of Object.entries(verdicts)) {
  for (const [width, viewport] of Object.entries({ desktop, phone })) {
    for (const dark of [false, true]) {
      const name = `${lang}, ${width}, ${dark ? "dark" : "light"}`;
      test(`the page says that a diploma is valid and who issued it (${name})`, async () => {
        const { page: address, json } = house.credentials[0];
        const credential = await readCredential(json);
        await visit(address, { lang, viewport, dark }, async (page, answer) => {
          assert.equal(answer.status(), 200);
          assert.equal(await page.locator("html").getAttribute("lang"), lang);
          const text = await page.locator("body").innerText();
          assert.match(text, verdict.valid);
          assert.ok(text.includes(house.tenant.name), "the issuer's name is not on the page");
          assert.ok(text.includes(credential.credentialSubject.achievement.name), "a signed field is not on the page");
          await assertFits(page);
          await assertAccessible(page);
          await shot(page, `verification-${lang}-${width}-${dark ? "dark" : "light"}`);
        });
      });
    }
  }
}

test("the rendered diploma stands beside its signed fields", async () => {
  await visit(house.credentials[0].page, {}, async (page) => {
    const pictures = await page.locator("img").evaluateAll((images) =>
      images.map((image) => ({ width: image.naturalWidth, described: Boolean(image.alt) })),
    );
    assert.ok(pictures.some(({ width, described }) => width > 400 && described), "no picture of the diploma");
  });
});

test("the page works without JavaScript", async () => {
  await visit(house.credentials[0].page, { script: false }, async (page) => {
    assert.match(await page.locator("body").innerText(), verdicts.en.valid);
    await shot(page, "verification-without-script");
  });
});

test("the page runs no script at all", async () => {
  await visit(house.credentials[0].page, {}, async (page) => {
    assert.equal(await page.locator("script").count(), 0);
  });
});

test("a page that does not exist answers 404 in words, and tells nothing", async () => {
  const page = await openPage(browser, { lang: "pt" });
  const answer = await page.goto(`${house.publicUrl}/v/${"0".repeat(26)}`);
  assert.equal(answer.status(), 404);
  assert.ok((await page.locator("body").innerText()).trim().length > 20);
  await assertAccessible(page);
  await page.context().close();
});

test("a revocation shows in under two seconds, while somebody is looking", async () => {
  const { id, page: address } = freshCredential(2);
  const page = await openPage(browser);
  await page.goto(address);
  assert.match(await page.locator("body").innerText(), verdicts.en.valid);
  const start = performance.now();
  const revoked = await house.run("revoke", id, "--reason", "issued in error");
  assert.equal(revoked.status, "revoked");
  const shown = async () => {
    await page.reload();
    return verdicts.en.revoked.test(await page.locator("body").innerText());
  };
  await until(shown, 4000, "the page says REVOKED");
  const ms = performance.now() - start;
  assert.ok(ms < 2000, `it took ${Math.round(ms)} ms`);
  assert.doesNotMatch(await page.locator("body").innerText(), verdicts.en.valid);
  await assertAccessible(page);
  await shot(page, "verification-revoked");
  assertQuiet(page);
  await page.context().close();
});
