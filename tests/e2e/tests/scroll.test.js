// Scrolling through a long conversation.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, tab, useBrowser } from "../support/browser.js";
import { chat } from "../support/chat.js";

useBrowser();

/** How many messages there are: several pages of history. */
const MESSAGES = 320;

/** Alice with a long conversation, of which the page has the end. */
async function long(t) {
  const { world, alice, bob } = await chat(t);
  for (let nth = 1; nth <= MESSAGES; nth += 1) {
    const more = nth % 7 === 0 ? " and some more of it".repeat(4) : "";
    const link = nth % 10 === 0 ? ` https://example.org/${nth}` : "";
    bob.send("say", { text: `number ${nth}.${more}${link}` });
    if (nth % 20 === 0) await alice.reads(`number ${nth}.`);
  }
  await alice.page.reload();
  await alice.isIn("alice");
  await alice.reads(`number ${MESSAGES}.`);
  return { world, alice, bob };
}

/** What is in sight: the first message, and how far its top is below that of the list. */
function first(alice) {
  return alice.conversation.evaluate((scroller) => {
    const top = scroller.getBoundingClientRect().top;
    const seen = [...scroller.querySelectorAll("article")].find(
      (one) => one.getBoundingClientRect().bottom > top,
    );
    const number = Number(seen.textContent.match(/number (\d+)\./)?.[1]);
    return { number, offset: Math.round(seen.getBoundingClientRect().top - top) };
  });
}

const left = (alice) =>
  alice.conversation.evaluate((one) => one.scrollHeight - one.clientHeight - one.scrollTop);
const top = (alice) => alice.conversation.evaluate((one) => one.scrollTop);

/** Waits until the first message in sight is before this one. */
async function comesBefore(alice, number) {
  const isBefore = ([one, number]) => {
    const top = one.getBoundingClientRect().top;
    const seen = [...one.querySelectorAll("article")].find((row) => row.getBoundingClientRect().bottom > top);
    return Number(seen?.textContent.match(/number (\d+)\./)?.[1]) < number;
  };
  const scroller = await alice.conversation.elementHandle();
  await alice.page.waitForFunction(isBefore, [scroller, number]);
}

test("earlier messages come after a restart of the registry", async (t) => {
  const { world, alice } = await long(t);
  await world.stopRegistry();
  await alice.banner.filter({ hasText: "registry" }).waitFor();
  await world.startRegistry();
  await alice.banner.waitFor({ state: "detached" });
  for (const number of [200, 100, 10]) {
    while ((await first(alice)).number > number) {
      await alice.conversation.evaluate((one) => (one.scrollTop -= 700));
      await alice.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    }
  }
  await comesBefore(alice, 11);
});

test("a scroll bar that is dragged to the top gets one page at a time and keeps the place", async (t) => {
  const { alice } = await long(t);
  // As long as the pointer moves up there, the browser puts the position to the top again.
  await alice.conversation.evaluate(
    (one) =>
      new Promise((done) => {
        const until = performance.now() + 1500;
        const drag = () => {
          one.scrollTop = 0;
          if (performance.now() < until) requestAnimationFrame(drag);
          else done();
        };
        drag();
      }),
  );
  const dragged = await first(alice);
  assert.ok(dragged.number > 15, `the drag led to ${dragged.number}`);
  await picture(alice, "scroll-dragged");
  // Let go, and turn the wheel: one page more comes above what is in sight, which stays.
  await alice.conversation.hover();
  await alice.page.mouse.wheel(0, -10);
  await alice.page.waitForFunction(() => document.querySelector("[role=log]").scrollTop > 1000);
  // The day is no longer above it.
  const offset = await alice.said(`number ${dragged.number}.`).evaluate((one) => {
    const list = one.closest("[role=log]");
    return one.getBoundingClientRect().top - list.getBoundingClientRect().top;
  });
  assert.ok(Math.abs(offset - dragged.offset) < 20, `from ${dragged.offset} to ${offset}`);
});

test("End is the end and Home the beginning of what is loaded", async (t) => {
  const { alice } = await long(t);
  await alice.conversation.focus();
  for (let nth = 0; nth < 3; nth += 1) {
    const before = (await first(alice)).number;
    await alice.conversation.press("Home");
    await comesBefore(alice, before);
    assert.ok((await top(alice)) < 200 || (await first(alice)).number < before);
    await alice.conversation.press("End");
    await alice.said(`number ${MESSAGES}.`).waitFor();
    await alice.page.waitForFunction(() => {
      const one = document.querySelector("[role=log]");
      return one.scrollHeight - one.clientHeight - one.scrollTop < 2;
    });
    assert.ok((await left(alice)) < 2);
    await alice.page.getByRole("button", { name: "Latest" }).waitFor({ state: "detached" });
  }
});

test("two tabs scroll back through the same conversation, each at its own pace", async (t) => {
  const { alice } = await long(t);
  const second = await tab(alice.page.context(), alice.bridge);
  await second.isIn("alice");
  await second.reads(`number ${MESSAGES}.`);
  for (const someone of [alice, second]) await someone.conversation.focus();
  for (let nth = 0; nth < 6; nth += 1) {
    for (const someone of [alice, second]) await someone.conversation.press("Home");
  }
  for (const someone of [alice, second]) {
    while ((await first(someone)).number > 1) {
      await someone.conversation.press("Home");
      await someone.page.waitForTimeout(50);
    }
    const numbers = new Set();
    while (!numbers.has(MESSAGES)) {
      // Rows are there as far as one sees.
      await someone.page.waitForFunction(() => {
        const list = document.querySelector("[role=log]").getBoundingClientRect();
        const rows = [...document.querySelectorAll("[role=log] article")].map((row) => row.getBoundingClientRect());
        return rows.some(({ top }) => top < list.top + 250) && rows.some(({ bottom }) => bottom > list.bottom - 60);
      });
      for (const text of await someone.conversation.getByRole("article").allTextContents()) {
        // A text that is long arrives in two messages.
        const [, number] = text.match(/number (\d+)\./) ?? [];
        if (number) numbers.add(Number(number));
      }
      await someone.conversation.evaluate((one) => (one.scrollTop += one.clientHeight));
    }
    assert.equal(numbers.size, MESSAGES, "there is a gap");
  }
});

test("what a search found is one Tab stop, and Enter leads to the message", async (t) => {
  const { alice } = await long(t);
  await alice.page.getByRole("button", { name: "Search the history" }).click();
  const finder = alice.page.getByRole("region", { name: "Search the history" });
  await finder.getByRole("searchbox").fill("number some more");
  await finder.getByRole("searchbox").press("Enter");
  const newest = MESSAGES - (MESSAGES % 7);
  await finder.getByText(`number ${newest}.`).waitFor();
  const { keyboard } = alice.page;
  await finder.getByRole("button", { name: "All chats" }).focus();
  await keyboard.press("Tab");
  const focused = () => alice.page.evaluate(() => Number(document.activeElement.textContent.match(/number (\d+)\./)?.[1]));
  assert.equal(await focused(), newest);
  await keyboard.press("ArrowDown");
  assert.equal(await focused(), newest - 7);
  await keyboard.press("End");
  const last = await focused();
  assert.ok(last < 50);
  await keyboard.press("Enter");
  await alice.said(`number ${last}.`).waitFor();
  await picture(alice, "search-found");
  await keyboard.press("Tab");
  assert.ok(!(await alice.page.evaluate(() => document.activeElement.matches(".finding"))));
});

test("a long conversation is two Tab stops, and arrows lead from link to link", async (t) => {
  const { alice } = await long(t);
  const { keyboard } = alice.page;
  const focused = () =>
    alice.page.evaluate(() => {
      const { textContent, id } = document.activeElement;
      return id || textContent;
    });
  await alice.conversation.focus();
  await keyboard.press("Tab");
  assert.equal(await focused(), `https://example.org/${MESSAGES}`);
  for (let nth = 1; nth <= 15; nth += 1) {
    const wanted = `https://example.org/${MESSAGES - 10 * nth}`;
    // Where the next link is not drawn yet, an arrow scrolls.
    await alice.page.getByRole("link", { name: wanted, exact: true }).waitFor({ state: "attached" });
    await keyboard.press("ArrowUp");
    await alice.page.waitForFunction((wanted) => document.activeElement.textContent === wanted, wanted);
  }
  await keyboard.press("ArrowDown");
  assert.equal(await focused(), `https://example.org/${MESSAGES - 140}`);
  const isInside = () => alice.page.evaluate(() => document.activeElement.closest(".lines") !== null);
  await keyboard.press("Tab");
  assert.ok(!(await isInside()));
  await keyboard.press("Shift+Tab");
  assert.ok(await isInside());
  await keyboard.press("End");
  await alice.page.getByRole("button", { name: "Latest" }).waitFor({ state: "detached" });
  await keyboard.press("Tab");
  assert.equal(await focused(), `https://example.org/${MESSAGES}`);
});
