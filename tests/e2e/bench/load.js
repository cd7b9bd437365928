// From the navigation to a page that can be used, with nothing cached.

import { User } from "../support/user.js";
import { probe } from "./probe.js";

/** Logs the user of a bridge in, who stays so without a page. */
export async function login(browser, { url, name, password }) {
  const page = await browser.newPage();
  await page.goto(url);
  const user = new User(page);
  await user.signIn(name, password);
  await user.isIn(name);
  await page.close();
  return {};
}

/** How soon what `ready` selects is there, in milliseconds, and how many bytes came. */
export async function load(browser, { url, ready, times }) {
  const took = [];
  let bytes = 0;
  for (let number = 0; number < times; number += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(probe, { ready });
    await page.goto(url);
    took.push(await page.evaluate(() => window.probe.ready));
    bytes = await page.evaluate(weigh);
    await context.close();
  }
  return { times: took, bytes };
}

/** Within the page: as they came, compressed. */
function weigh() {
  const entries = ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type));
  return entries.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
}
