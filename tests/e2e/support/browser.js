// One Chromium for all tests of a file, and for each user a context of their own.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before } from "node:test";

import { launch } from "./chromium.js";
import { BRIDGE_IS_DOWN, PATIENCE } from "./process.js";
import { User } from "./user.js";

let browser;

/** To be called once in a test file. */
export function useBrowser() {
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
}

/**
 * A user with a browser of their own, and the page of this bridge open in it. `before` changes
 * the browser before the page is loaded; `expected` is what the page may report as an error, beside
 * that its bridge is down.
 */
export async function user(test, bridge, { before, expected, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1180, height: 760 },
    colorScheme: "light",
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  if (before) await context.addInitScript(before);
  const wrong = [];
  const note = (text) => BRIDGE_IS_DOWN.test(text) || expected?.test(text) || wrong.push(text);
  context.on("weberror", (error) => note(String(error.error())));
  context.on("console", (message) => message.type() === "error" && note(message.text()));
  test.after(async () => {
    const [page] = context.pages();
    if (page) await picture({ page }, `last/${test.name.replace(/\W+/g, "-")}-${bridge.name}`);
    await context.close();
    assert.deepEqual(wrong, [], "the page reports errors");
  });
  return tab(context, bridge);
}

/** Another tab of the same browser. */
export async function tab(context, bridge) {
  const page = await context.newPage();
  await page.goto(bridge.url);
  return new User(page, bridge);
}

/** A picture of what is seen, for people. */
export async function picture(user, name) {
  const folder = process.env.E2E_SCREENSHOTS;
  if (!folder) return;
  const path = join(folder, `${name}.png`);
  mkdirSync(dirname(path), { recursive: true });
  await user.page.screenshot({ path });
}
