// A profile with many conversations and a long one. Programs make it, as a user's would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

const CHATS = 1_000;
/** `E2E_MESSAGES=100000` measures as many as are kept; making them takes minutes. */
const MESSAGES = Number(process.env.E2E_MESSAGES ?? 1_000);
/** So many are written before the next are: the program answers in time. */
const TOGETHER = 50;
/** The most that there may be in the page, and what one may wait, in milliseconds. */
const MOST_NODES = 6_000;
const MOST_BYTES = 150 * 2 ** 20;
const SOON = 1_500;
const AT_ONCE = 200;

/** Alice with all of it, and the bridge to her profile. */
async function full(t) {
  const world = await World.start(t);
  const alice = await world.terminal("alice");
  for (let nth = 1; nth < CHATS; nth += 1) alice.send("group", { name: `group ${nth}`, members: [] });
  for (let nth = 1; nth < CHATS; nth += 1) await alice.event("opened");
  alice.send("group", { name: "Long", members: [] });
  const { conversation } = await alice.event("opened");
  for (let first = 0; first < MESSAGES; first += TOGETHER) {
    for (let nth = first; nth < first + TOGETHER; nth += 1) {
      const more = nth % 7 === 0 ? " and some more of it".repeat(4) : "";
      alice.send("say", { conversation, text: `number ${nth}.${more}` });
    }
    const wanted = `number ${first + TOGETHER - 1}.`;
    const last = await alice.event("post", ({ text }) => text.startsWith(wanted));
    alice.send("read", { conversation, message: last.id });
  }
  await alice.process.stop();
  const bridge = { name: "alice", options: [], address: alice.address, port: 0 };
  await world.startBridge(bridge);
  return bridge;
}

/** What is in sight of the conversation: the first message and where it stands. */
const first = (alice) =>
  alice.conversation.evaluate((list) => {
    const { top } = list.getBoundingClientRect();
    const seen = [...list.querySelectorAll("article")].find((one) => one.getBoundingClientRect().bottom > top);
    return { number: Number(seen.textContent.match(/number (\d+)\./)[1]), top: seen.getBoundingClientRect().top - top };
  });

test("a long conversation among a thousand stays quick, and the page small", { timeout: 3_600_000 }, async (t) => {
  const bridge = await full(t);
  const alice = await user(t, bridge);
  const { page } = alice;
  const measured = {};
  const took = async (what, most, run) => {
    const begin = performance.now();
    await run();
    measured[what] = Math.round(performance.now() - begin);
    assert.ok(measured[what] <= most, `${what} took ${measured[what]} ms`);
  };
  const frames = () =>
    page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
  const row = (name) => alice.people.locator(".chat-row").filter({ has: page.getByText(name, { exact: true }) });
  await alice.isIn("alice");
  await row("Long").click();
  await alice.reads(`number ${MESSAGES - 1}.`);

  await took("load", 10 * SOON, async () => {
    await page.reload();
    await alice.reads(`number ${MESSAGES - 1}.`);
  });
  await took("another", SOON, async () => {
    await alice.people.locator(".chat-row").nth(1).click();
    await page.getByText("No messages yet").waitFor();
  });
  await took("show", SOON, async () => {
    await row("Long").click();
    await alice.reads(`number ${MESSAGES - 1}.`);
  });
  measured.nodes = await nodes();
  assert.ok(measured.nodes < MOST_NODES, `${measured.nodes} elements`);
  await picture(alice, "many");

  // Up, page by page: what is in sight stays where it is while earlier messages come.
  const until = Math.max(0, MESSAGES - 600);
  await took("history", 120_000, async () => {
    while ((await first(alice)).number > until) {
      await alice.conversation.evaluate((list) => (list.scrollTop -= 600));
      await frames();
      const before = await first(alice);
      await frames();
      const after = await first(alice);
      assert.equal(after.number, before.number, "the place moved");
      assert.ok(Math.abs(after.top - before.top) < 2, `moved by ${after.top - before.top}`);
      assert.ok((await nodes()) < MOST_NODES);
    }
  });

  await alice.conversation.press("End");
  const keys = "typed beside a thousand chats";
  await alice.composer.focus();
  await took("typing", AT_ONCE * keys.length, async () => {
    for (const key of keys) {
      await page.keyboard.insertText(key);
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
  });
  assert.equal(await alice.composer.inputValue(), keys);
  const client = await page.context().newCDPSession(page);
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  const program = await page.evaluate(() => performance.memory?.totalJSHeapSize ?? 0);
  Object.assign(measured, { heap: usedSize, program });
  assert.ok(Math.max(usedSize, program) < MOST_BYTES, `${usedSize} and ${program} bytes`);
  t.diagnostic(JSON.stringify(measured));
});
