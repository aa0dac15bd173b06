// Debian's Chromium, driven like a person would: pages at desktop and phone width, light and dark, in two languages,
// with and without JavaScript, by keyboard alone. Every page is watched for what it should not do.

import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Widths at which people look. */
export const desktop = { width: 1280, height: 860 };
export const phone = { width: 390, height: 844 };

/** Starts the browser, with a new profile of its own; `environment` beside that of this process. */
export async function openBrowser(environment = {}) {
  const executablePath = process.env.SELO_CHROMIUM ?? PATHS.find((candidate) => existsSync(candidate));
  if (!executablePath) throw new Error("Chromium is missing: apt-get install -y chromium");
  return chromium.launch({ executablePath, args: FLAGS, headless: true, chromiumSandbox: false, env: { ...process.env, ...environment } });
}

/**
 * Opens a page of its own. `lang` is `pt` or `en`, `dark` the colour scheme, `script: false` turns JavaScript off.
 * The page collects in `page.faults` what no page of ours may do: break its content security policy, throw, write
 * errors to the console, ask an address that is not the house's.
 */
export async function openPage(browser, { viewport = desktop, lang = "en", dark = false, script = true } = {}) {
  const context = await browser.newContext({
    viewport,
    locale: lang === "pt" ? "pt-PT" : "en-GB",
    colorScheme: dark ? "dark" : "light",
    javaScriptEnabled: script,
    acceptDownloads: true,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") page.faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const inside = ["data:", "blob:", "about:"].includes(protocol) || hostname === "localhost" || hostname === "127.0.0.1";
    if (!inside) page.faults.push(`asks a stranger: ${request.url()}`);
  });
  if (script) {
    await page.exposeBinding("seloFault", (_source, fault) => page.faults.push(fault));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        window.seloFault(`content security policy: ${event.violatedDirective} refuses ${event.blockedURI}`);
      });
    });
  }
  return page;
}

/** Nothing happened that no page of ours may do. */
export function assertQuiet(page) {
  assert.deepEqual(page.faults, [], `${page.url()} did what it should not`);
}

/** Nothing that keeps somebody out: no violation of WCAG 2.2 A and AA that a program finds. */
export async function assertAccessible(page) {
  const builder = new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const { violations } = await builder.analyze();
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target).join("; ")}`);
  assert.deepEqual(told, [], `${page.url()} keeps somebody out`);
}

/** Nothing stands outside of the screen's width. */
export async function assertFits(page) {
  const { content, screen } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    screen: document.documentElement.clientWidth,
  }));
  assert.ok(content <= screen, `${page.url()} is ${content} px wide on a screen of ${screen} px`);
}

/**
 * Walks by Tab alone until something whose accessible text matches has the focus, and shows that the focus is visible.
 * Gives the element's handle; the caller presses Enter or Space.
 */
export async function tabTo(page, pattern, most = 60) {
  const passed = [];
  for (let count = 0; count < most; count += 1) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const style = getComputedStyle(element);
      const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent ?? "";
      const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      return { text: label.trim(), visible: outlined || style.boxShadow !== "none" };
    });
    if (!here) continue;
    passed.push(here.text);
    if (pattern.test(here.text)) {
      assert.ok(here.visible, `the focus on "${here.text}" cannot be seen`);
      return page.evaluateHandle(() => document.activeElement);
    }
  }
  return assert.fail(`Tab never reaches ${pattern}; it passes: ${passed.join(" | ")}`);
}

/** Keeps a picture of the page, for people who look afterwards. */
export async function shot(page, name) {
  const folder = process.env.SELO_SHOTS ?? path.resolve(import.meta.dirname, "../../../target/xtask/shots");
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}
