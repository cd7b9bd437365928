// How long scripts run until messages are drawn.

import { probe } from "./probe.js";

/** How long everything may take to come to rest, in milliseconds. */
const REST = 500;

/** `first`: to draw the page, with so many messages where there are `lines`. `again`: to
 * draw what has changed, one message more or one click on what `ready` selects. */
export async function draw(browser, { url, ready, lines, changes }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable");
  const script = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "ScriptDuration").value;
  };
  await page.addInitScript(probe, { lines, ready });
  await page.goto(url);
  let before = 0;
  if (lines) {
    await page.evaluate(() => window.probe.holds);
    await page.waitForTimeout(REST);
    before = await script();
    await page.evaluate(() => window.probe.release());
  }
  await page.evaluate(() => window.probe.ready);
  await page.waitForTimeout(REST);
  const drawn = await script();
  await page.evaluate(change, { ready, lines, changes });
  const changed = await script();
  await context.close();
  return { first: drawn - before, again: (changed - drawn) / changes };
}

/** Within the page: so many changes, each with its own frame. */
async function change({ ready, lines, changes }) {
  for (let number = 1; number <= changes; number += 1) {
    if (lines) window.probe.tell({ message: window.probe.message(lines + number) });
    else document.querySelector(ready).click();
    await window.probe.frame();
  }
}
