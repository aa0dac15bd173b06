// The authority in the browser: an empty house says what to do; after a ceremony an operator sees what is in force,
// finds a certificate, follows what happened to it, revokes it, and reads why a request was refused.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, assertQuiet, desktop, openBrowser, openPage, phone, shot, tabTo } from "../lib/browser.mjs";
import { house } from "../lib/here.mjs";

const WIDTHS = Object.entries({ desktop, phone });
const LANGS = ["en", "pt"];
const made = { en: {}, pt: {} };

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

/** Enters by a new one-time link and goes to a page of the app. */
async function enter(target, options) {
  const page = await openPage(browser, options);
  await page.goto(await house.link());
  await page.getByRole("table").or(page.getByRole("list")).first().waitFor();
  await open(page, target);
  return page;
}

async function open(page, target) {
  await page.goto(`${house.adminUrl}${target}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
}

/** Looks at a page as everybody sees it: both languages, both widths, light and dark. */
async function whole(target, name, ready) {
  for (const lang of LANGS) {
    for (const [width, viewport] of WIDTHS) {
      for (const dark of [false, true]) {
        const page = await enter(target, { lang, viewport, dark });
        await ready(page, lang);
        await assertFits(page);
        await assertAccessible(page);
        await shot(page, `${name}-${lang}-${width}-${dark ? "dark" : "light"}`);
        assertQuiet(page);
        await page.context().close();
      }
    }
  }
}

test("a house without an authority says how one is made", async () => {
  for (const target of ["/authority", "/certificates"]) {
    const page = await enter(target);
    assert.match(await page.locator("main").innerText(), /selo pki init --out ca/);
    assertQuiet(page);
    await page.context().close();
  }
  await whole("/authority", "authority-empty", (page) => page.getByText("selo pki init --out ca").waitFor());
});

test("after the ceremony the overview shows who signs and what is in force", async () => {
  await house.run("pki", "init", "--out", path.join(house.folder, "ca"));
  for (const lang of LANGS) {
    for (const name of ["db", "portal", "mail"]) {
      const dns = `${name}-${lang}.localhost`;
      await house.run("pki", "issue", "--profile", "server", "--dns", dns, "--owner", "Equipa de redes", "--out", path.join(house.folder, dns));
    }
    const { items } = await house.data("GET", `/api/v1/pki/certificates?name=db-${lang}.`);
    made[lang] = items[0];
  }
  await whole("/authority", "authority", async (page) => {
    await page.getByRole("heading", { level: 2 }).first().waitFor();
    assert.match(await page.locator("main").innerText(), /Selo dev Issuing 1/);
    assert.equal(await page.locator(".tile strong").first().innerText(), "7");
  });
});

test("certificates are found by name, domain, owner, profile, state and end", async () => {
  await whole("/certificates", "certificates", (page) => page.getByRole("table").waitFor());
  const page = await enter("/certificates");
  const rows = () => page.locator("tbody tr td:first-child a").allInnerTexts();
  const search = async () => {
    const [answer] = await Promise.all([page.waitForResponse((one) => one.url().includes("/pki/certificates?")), page.getByRole("button", { name: "Search" }).click()]);
    assert.equal(answer.status(), 200);
    await page.locator("[aria-busy='false']").or(page.getByText("No match")).first().waitFor();
  };
  await page.getByLabel("Name begins with").fill("portal-");
  await search();
  assert.deepEqual(await rows(), ["portal-en.localhost", "portal-pt.localhost"]);
  await page.getByLabel("In the domain").fill("nowhere.localhost");
  await page.getByLabel("Name begins with").fill("");
  await search();
  await page.getByText("No match").waitFor();
  await page.getByRole("button", { name: "Clear" }).first().click();
  await page.getByRole("table").waitFor();
  await page.getByLabel("Owner").fill("Equipa de redes");
  await search();
  assert.equal((await rows()).length, 6);
  assert.ok(!page.url().includes("Equipa"), "an owner stands in the address");
  const csv = await fetchAs(page, await page.getByRole("link", { name: "CSV" }).getAttribute("href"));
  assert.equal(csv.trim().split("\n").length, 1 + 6);
  await page.getByLabel("Ends within").selectOption("7");
  await page.getByText("No match").waitFor();
  await page.getByRole("button", { name: "Clear" }).first().click();
  await page.getByRole("button", { name: "To be renewed" }).click();
  await page.getByText("Nothing is late").waitFor();
  assertQuiet(page);
  await page.context().close();
});

const fetchAs = (page, address) => page.evaluate((target) => fetch(target).then((answer) => answer.text()), address);

test("one certificate shows its life, its chain, its proof and what happened to it", async () => {
  await whole(`/certificates/${made.en.id}`, "certificate", (page) => page.locator(".history li").first().waitFor());
  const page = await enter(`/certificates/${made.en.id}`);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download chain (PEM)" }).click()]);
  const pem = await readFile(await download.path(), "utf8");
  assert.equal(pem.match(/-----BEGIN CERTIFICATE-----/g).length, 2);
  const [proof] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download proof", exact: true }).click()]);
  assert.match(await readFile(await proof.path(), "utf8"), /^c2sp\.org\/tlog-proof@v1\n/);
  const [fact] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download proof: Issued" }).click()]);
  assert.match(await readFile(await fact.path(), "utf8"), /^c2sp\.org\/tlog-proof@v1\n/);
  assertQuiet(page);
  await page.context().close();
});

test("a certificate is revoked by keyboard alone, with a reason and a second thought, in both languages", async () => {
  const words = { en: ["Revoke…", "revoke", "Revoke for good", "Choose a reason.", "Revoked"], pt: ["Revogar…", "revogar", "Revogar definitivamente", "Escolha um motivo.", "Revogado"] };
  for (const lang of LANGS) {
    const [begin, word, button, choose, revoked] = words[lang];
    const page = await enter(`/certificates/${made[lang].id}`, { lang, viewport: lang === "pt" ? phone : desktop });
    await tabTo(page, new RegExp(`^${begin}$`));
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await dialog.getByRole("button", { name: button }).click();
    await dialog.getByText(choose, { exact: true }).last().waitFor();
    await assertAccessible(page);
    await shot(page, `certificate-revoke-${lang}`);
    await dialog.getByRole("combobox").selectOption("superseded");
    await dialog.getByRole("textbox").focus();
    await page.keyboard.type(word);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.locator(".head .chip", { hasText: revoked }).waitFor();
    assert.equal(await page.locator(".history li").count(), 3);
    assert.equal((await house.data("GET", `/api/v1/pki/certificates/${made[lang].id}`)).reason, "superseded");
    assertQuiet(page);
    await page.context().close();
  }
  await whole(`/certificates/${made.en.id}`, "certificate-revoked", (page) => page.locator(".history li").nth(2).waitFor());
});

test("a refused request is shown with its reason and what helps, without what was asked for", async () => {
  for (const words of [["--profile", "root"], ["--profile", "server", "--dns", "*.secret.localhost"]]) {
    const refused = await house.ask("pki", "issue", ...words, "--out", path.join(house.folder, "refused"));
    assert.notEqual(refused.code, 0);
  }
  const reasons = { en: /has a wildcard, and none are issued/, pt: /tem um carácter universal/ };
  await whole("/refusals", "refusals", async (page, lang) => {
    await page.getByRole("table").waitFor();
    const text = await page.locator("main").innerText();
    assert.match(text, reasons[lang]);
    assert.doesNotMatch(text, /secret/);
  });
});
