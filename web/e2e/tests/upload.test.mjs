// The form at the public address: whatever a graduate hands over is checked by upload, and nothing else passes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, assertQuiet, openBrowser, openPage, phone, shot, tabTo } from "../lib/browser.mjs";
import { house } from "../lib/here.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

/** The form's own words. */
const submit = /^(verify|check|verificar)/i;

async function upload(options, file) {
  const page = await openPage(browser, options);
  await page.goto(`${house.publicUrl}/`);
  await page.locator('input[type="file"]').setInputFiles(file);
  const answered = page.waitForNavigation();
  await page.getByRole("button", { name: submit }).first().click();
  await answered;
  return page;
}

const credential = house.credentials[1];

for (const form of ["json", "png", "pdf"]) {
  for (const script of [true, false]) {
    test(`the ${form.toUpperCase()} that a recipient downloads verifies by upload${script ? "" : " without JavaScript"}`, async () => {
      const page = await upload({ script }, credential[form]);
      const text = await page.locator("body").innerText();
      assert.match(text, /\bVALID\b/);
      assert.ok(text.includes(house.tenant.name), "the issuer's name is not on the page");
      assertQuiet(page);
      if (script) await assertAccessible(page);
      await shot(page, `upload-${form}${script ? "" : "-without-script"}`);
      await page.context().close();
    });
  }
}

test("a pasted credential verifies, in Portuguese, on a phone", async () => {
  const page = await openPage(browser, { lang: "pt", viewport: phone });
  await page.goto(`${house.publicUrl}/`);
  await page.locator("textarea").fill(await readFile(credential.json, "utf8"));
  const answered = page.waitForNavigation();
  await page.getByRole("button", { name: submit }).last().click();
  await answered;
  assert.match(await page.locator("body").innerText(), /\bVÁLID[OA]\b/);
  await assertFits(page);
  await assertAccessible(page);
  await shot(page, "paste-pt-phone");
  assertQuiet(page);
  await page.context().close();
});

test("one altered byte is refused with the reason", async () => {
  const text = await readFile(credential.json, "utf8");
  const altered = text.replace(/("proofValue"\s*:\s*"z.)(.)/, (_all, before, sign) => before + (sign === "2" ? "3" : "2"));
  assert.notEqual(altered, text);
  const page = await upload({}, { name: "altered.json", mimeType: "application/json", buffer: Buffer.from(altered) });
  const shown = await page.locator("body").innerText();
  assert.match(shown, /\b(INVALID|NOT VALID)\b/);
  assert.match(shown, /signature/i);
  await assertAccessible(page);
  await shot(page, "upload-altered");
  await page.context().close();
});

test("a picture without a credential gets a sentence, not an error page", async () => {
  // the smallest PNG there is: one transparent point
  const buffer = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    "base64",
  );
  const page = await upload({}, { name: "holiday.png", mimeType: "image/png", buffer });
  const text = await page.locator("body").innerText();
  assert.doesNotMatch(text, /(?<!NOT )\bVALID\b/);
  assert.match(text, /credential/i);
  await assertAccessible(page);
  await page.context().close();
});

test("a file is chosen and checked by keyboard alone", async () => {
  const page = await openPage(browser);
  await page.goto(`${house.publicUrl}/`);
  await page.locator('input[type="file"]').setInputFiles(credential.json);
  await tabTo(page, submit);
  const answered = page.waitForNavigation();
  await page.keyboard.press("Enter");
  await answered;
  assert.match(await page.locator("body").innerText(), /\bVALID\b/);
  await page.context().close();
});

test("the form is whole for everybody", async () => {
  for (const lang of ["en", "pt"]) {
    for (const dark of [false, true]) {
      const page = await openPage(browser, { lang, dark, viewport: phone });
      await page.goto(`${house.publicUrl}/`);
      await assertFits(page);
      await assertAccessible(page);
      await shot(page, `form-${lang}-${dark ? "dark" : "light"}`);
      assertQuiet(page);
      await page.context().close();
    }
  }
});
