// The recipient's page: a graduate takes the diploma home in three forms, and each carries the credential.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { assertAccessible, assertFits, assertQuiet, openBrowser, openPage, phone, shot } from "../lib/browser.mjs";
import { house } from "../lib/here.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

const credential = house.credentials[0];

test("the page is whole for everybody", async () => {
  for (const lang of ["en", "pt"]) {
    for (const dark of [false, true]) {
      const page = await openPage(browser, { lang, dark, viewport: phone });
      const answer = await page.goto(credential.recipient);
      assert.equal(answer.status(), 200);
      await assertFits(page);
      await assertAccessible(page);
      await shot(page, `recipient-${lang}-${dark ? "dark" : "light"}`);
      assertQuiet(page);
      await page.context().close();
    }
  }
});

for (const form of ["json", "png", "pdf"]) {
  test(`the ${form.toUpperCase()} downloads, and is the one that verifies without network`, async () => {
    const page = await openPage(browser, { script: false });
    await page.goto(credential.recipient);
    const started = page.waitForEvent("download");
    await page.locator(`a[href$=".${form}"]`).first().click();
    const download = await started;
    const file = path.join(house.folder, `downloaded.${form}`);
    await download.saveAs(file);
    assert.deepEqual(await readFile(file), await readFile(credential[form]));
    const report = await house.run("verify", file);
    assert.equal(report.outcome, "valid");
    await page.context().close();
  });
}

test("the PDF is one page that a printer understands, with the name on it", async () => {
  const { stdout: about } = await promisify(execFile)("pdfinfo", [credential.pdf]);
  assert.match(about, /^Pages:\s+1$/m);
  const { stdout: text } = await promisify(execFile)("pdftotext", ["-layout", credential.pdf, "-"]);
  const { credentialSubject } = JSON.parse(await readFile(credential.json, "utf8"));
  const words = credentialSubject.achievement.name.split(" ");
  assert.ok(words.every((word) => text.includes(word)), `the text of the PDF lacks some of: ${words.join(" ")}`);
});
