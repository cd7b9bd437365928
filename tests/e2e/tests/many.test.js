// A profile with many conversations and a long one. Programs make it, as a user's would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

const CHATS = 1_000;
/** `E2E_MESSAGES=100000` measures as many as are kept. */
const MESSAGES = Number(process.env.E2E_MESSAGES ?? 1_000);
/** Two of them have a word that no other has. */
const NEEDLE = 20;
const MIDDLE = Math.floor(MESSAGES / 2);
/** So many are written before the next are: the program answers in time. */
const TOGETHER = 50;
/** The most that there may be in the page, and what one may wait, in milliseconds. */
const MOST_NODES = 6_000;
const MOST_BYTES = 150 * 2 ** 20;
const SOON = 5_000;
const AT_ONCE = 500;

/** The text of a message: some are longer. */
function textOf(nth) {
  const word = { [NEEDLE]: " needle", [MIDDLE]: " middle" }[nth] ?? "";
  const more = nth % 7 === 0 ? " and some more of it".repeat(4) : "";
  return `number ${nth}.${word}${more}`;
}

/** Alice with all of it, and the bridge to her profile. */
async function full(t) {
  const world = await World.start(t);
  const alice = await world.terminal("alice");
  alice.send("group", { name: "Long", members: [] });
  const { conversation } = await alice.event("opened");
  for (let first = 0; first < MESSAGES; first += TOGETHER) {
    for (let nth = first; nth < first + TOGETHER; nth += 1) {
      alice.send("say", { conversation, text: textOf(nth) });
    }
    const wanted = `number ${first + TOGETHER - 1}.`;
    const last = await alice.event("post", ({ text }) => text.startsWith(wanted));
    alice.send("read", { conversation, message: last.id });
  }
  for (let nth = 1; nth < CHATS; nth += 1) alice.send("group", { name: `group ${nth}`, members: [] });
  for (let nth = 1; nth < CHATS; nth += 1) await alice.event("opened");
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

/** The row of a conversation in the list. */
const row = (alice, name) =>
  alice.people.locator(".chat-row").filter({ has: alice.page.getByText(name, { exact: true }) });

/** What was measured: each step may take so long, in milliseconds. */
class Measured {
  constructor(alice) {
    Object.assign(this, { alice, page: alice.page, figures: {} });
  }

  async took(what, most, run) {
    const begin = performance.now();
    await run();
    this.figures[what] = Math.round(performance.now() - begin);
    assert.ok(this.figures[what] <= most, `${what} took ${this.figures[what]} ms`);
    await this.nodes(what);
  }

  /** Only what is in sight is in the page. */
  async nodes(when) {
    const nodes = await this.page.evaluate(() => document.querySelectorAll("*").length);
    this.figures.nodes = Math.max(this.figures.nodes ?? 0, nodes);
    assert.ok(nodes < MOST_NODES, `${nodes} elements: ${when}`);
  }

  /** Two frames are drawn. */
  frames() {
    return this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }

  /** Scrolls until a message with such a number is the first; what is in sight stays where it is meanwhile. */
  async scroll(by, until) {
    while (!until((await first(this.alice)).number)) {
      await this.alice.conversation.evaluate((list, by) => (list.scrollTop += by), by);
      await this.frames();
      const before = await first(this.alice);
      await this.frames();
      const after = await first(this.alice);
      assert.equal(after.number, before.number, "the place moved");
      assert.ok(Math.abs(after.top - before.top) < 2, `moved by ${after.top - before.top}`);
      await this.nodes("while scrolling");
    }
  }

  async memory() {
    const client = await this.page.context().newCDPSession(this.page);
    await client.send("HeapProfiler.collectGarbage");
    const { usedSize } = await client.send("Runtime.getHeapUsage");
    const program = await this.page.evaluate(() => performance.memory?.totalJSHeapSize ?? 0);
    Object.assign(this.figures, { heap: usedSize, program });
    assert.ok(Math.max(usedSize, program) < MOST_BYTES, `${usedSize} and ${program} bytes`);
  }
}

/** Finds a word, and goes to the message that has it. */
async function goTo(measured, word, number) {
  const { alice, page } = measured;
  const field = page.getByLabel("Words to look for");
  await field.fill(word);
  await measured.took(`find ${word}`, SOON, async () => {
    await field.press("Enter");
    await page.locator(".finding").filter({ hasText: `number ${number}.` }).waitFor();
  });
  await measured.took(`jump to ${word}`, SOON, async () => {
    await page.locator(".finding").filter({ hasText: `number ${number}.` }).click();
    await alice.reads(`number ${number}.`);
  });
  await measured.frames();
  const { number: seen } = await first(alice);
  assert.ok(Math.abs(seen - number) < 12, `number ${seen} is in sight`);
}

test("a long conversation among a thousand stays quick, and the page small", { timeout: 3_600_000 }, async (t) => {
  const bridge = await full(t);
  const alice = await user(t, bridge);
  const { page } = alice;
  const measured = new Measured(alice);
  const newest = `number ${MESSAGES - 1}.`;
  // The one with the newest message is shown first.
  await measured.took("begin", 10 * SOON, async () => {
    await alice.isIn("alice");
    await alice.reads(newest);
  });
  await measured.took("load", 10 * SOON, async () => {
    await page.reload();
    await alice.reads(newest);
  });
  await measured.took("another", SOON, async () => {
    await alice.people.locator(".chat-row").nth(1).click();
    await page.getByText("No messages yet").waitFor();
  });
  await measured.took("show", SOON, async () => {
    await row(alice, "Long").click();
    await alice.reads(newest);
  });
  await picture(alice, "many");

  // Up, page by page, while earlier messages come.
  const until = Math.max(0, MESSAGES - 350);
  await measured.took("scroll up", 120_000, () => measured.scroll(-600, (number) => number <= until));
  // Far back, and on from there.
  await page.getByRole("button", { name: "Search" }).first().click();
  await goTo(measured, "needle", NEEDLE);
  await picture(alice, "many-found");
  await measured.took("scroll on", 120_000, () => measured.scroll(600, (number) => number > NEEDLE + 120));
  await measured.took("scroll back", 120_000, () => measured.scroll(-600, (number) => number < NEEDLE));
  await goTo(measured, "middle", MIDDLE);
  await page.getByRole("button", { name: "Close the search" }).click();
  await alice.conversation.focus();
  await measured.took("beginning", SOON, async () => {
    await page.keyboard.press("Control+Home");
    await alice.reads("number 0.");
    await page.getByText("This is the beginning").waitFor();
  });
  await picture(alice, "many-beginning");

  // What the user writes there stands at the end, and is seen.
  const keys = "typed beside a thousand chats";
  await alice.composer.focus();
  await measured.took("typing", AT_ONCE * keys.length, async () => {
    for (const key of keys) {
      await page.keyboard.insertText(key);
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
  });
  assert.equal(await alice.composer.inputValue(), keys);
  await measured.took("say from the beginning", SOON, async () => {
    await alice.composer.press("Enter");
    await alice.reads(keys);
  });
  await alice.reads(newest);
  await measured.took("say", SOON, async () => {
    await alice.says("one more");
    await alice.reads("one more");
  });
  await measured.memory();
  t.diagnostic(JSON.stringify(measured.figures));

  // What was shown last is shown in the next tab too.
  await row(alice, "Long").press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByText("No messages yet").waitFor();
  const title = await page.locator(".chat-title h2").innerText();
  const next = await page.context().newPage();
  await next.goto(bridge.url);
  await next.locator(".chat-title h2").filter({ hasText: title }).waitFor();
});
