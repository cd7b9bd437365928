// A thousand people are one list, and one Tab stop.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

const COUNT = 1000;
const LETTERS = "abcdefghijklmnopqrst";

/** Names in order, a few dozen for each of some letters. */
const names = Array.from({ length: COUNT }, (_, nth) => {
  const letter = LETTERS[Math.floor((nth * LETTERS.length) / COUNT)];
  return `${letter}ser${String(nth).padStart(4, "0")}`;
});

/** Alice, whose bridge says that a thousand people are online. */
async function crowd(t, options) {
  const world = await World.start(t);
  const bridge = await world.bridge("alice");
  const alice = await user(t, { ...bridge, url: "about:blank" }, options);
  await alice.page.routeWebSocket(/./, (ws) => {
    const server = ws.connectToServer();
    ws.onMessage((text) => server.send(text));
    server.onMessage((text) => {
      const frame = JSON.parse(text);
      if (frame.event === "online") {
        const shown = { display_name: "", status: "available", open_chat: true, legacy: false, trust: null };
        const person = (name, nth) => ({ name, address: `10.1.${nth >> 8}.${nth & 255}`, ...shown });
        frame.users.push(...names.map(person));
      }
      ws.send(JSON.stringify(frame));
    });
  });
  await alice.page.goto(bridge.url);
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.askButton(names[0]).waitFor();
  await alice.online.getByRole("button", { name: "Show all" }).click();
  return alice;
}

const focusedName = (alice) =>
  alice.page.evaluate(() => document.activeElement.closest("li")?.querySelector("bdi")?.textContent);

test("a list of a thousand people is one Tab stop, and arrows lead through it", async (t) => {
  const alice = await crowd(t);
  const drawn = () => alice.online.getByRole("listitem").count();
  assert.ok((await drawn()) < 100, `${await drawn()} rows are in the page`);
  await alice.online.getByText(String(COUNT), { exact: true }).waitFor();
  assert.equal(await alice.online.getByText(/10\.1\./).count(), 0, "an address is shown");

  const { keyboard } = alice.page;
  await alice.people.getByRole("button", { name: "Refresh who is online" }).focus();
  await keyboard.press("Tab");
  assert.equal(await focusedName(alice), names[0]);
  for (const [key, name] of [
    ["ArrowDown", names[1]],
    ["ArrowDown", names[2]],
    ["ArrowUp", names[1]],
    ["End", names[COUNT - 1]],
    ["ArrowDown", names[COUNT - 1]],
    ["Home", names[0]],
  ]) {
    await keyboard.press(key);
    await alice.page.waitForFunction(
      (name) => document.activeElement.closest("li")?.querySelector("bdi")?.textContent === name,
      name,
    );
    const row = await alice.page.locator("li:focus-within").boundingBox();
    const pane = await alice.page.locator(".people-scroll").boundingBox();
    assert.ok(row.y >= pane.y - 1 && row.y + row.height <= pane.y + pane.height + 1, `${name} is out of sight`);
  }
  await keyboard.press("PageDown");
  const page = names.indexOf(await focusedName(alice));
  assert.ok(page > 5 && page < 60, `a page is ${page} rows`);
  await picture(alice, "people-thousand");

  // Letters lead to names. None of them does anything else.
  await keyboard.press("m");
  assert.equal((await focusedName(alice))[0], "m");
  await alice.page.waitForTimeout(1100);
  await keyboard.type("gser");
  assert.equal((await focusedName(alice))[0], "g");

  // The whole list is behind one Tab, there and back.
  const isInList = () => alice.page.evaluate(() => document.activeElement.closest("li") !== null);
  await keyboard.press("Tab");
  assert.ok(!(await isInList()));
  await keyboard.press("Shift+Tab");
  assert.equal((await focusedName(alice))[0], "g");
  // Behind the button that asks.
  await keyboard.press("ArrowRight");
  await keyboard.press("ArrowRight");
  assert.match(await alice.page.evaluate(() => document.activeElement.getAttribute("aria-label")), /^Actions for g/);
  await keyboard.press("Shift+F10");
  await alice.page.getByRole("menuitem", { name: /^Block/ }).waitFor();
  await picture(alice, "people-menu");
  await keyboard.press("Escape");
  assert.equal((await focusedName(alice))[0], "g");
});

test("a row that is scrolled out of sight keeps the focus", async (t) => {
  const alice = await crowd(t);
  await alice.askButton(names[3]).focus();
  await alice.page.locator(".people-scroll").evaluate((one) => (one.scrollTop = 20_000));
  await alice.askButton(names[560]).waitFor();
  assert.equal(await focusedName(alice), names[3]);
  await alice.page.keyboard.press("ArrowDown");
  await alice.page.waitForFunction(
    (name) => document.activeElement.closest("li")?.querySelector("bdi")?.textContent === name,
    names[4],
  );
});

test("a row is 36 pixels high, and 44 under a finger", async (t) => {
  for (const [height, options] of [
    [36, {}],
    [44, { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true }],
  ]) {
    const alice = await crowd(t, options);
    const rows = await alice.online.getByRole("listitem").all();
    const box = await rows[0].boundingBox();
    assert.ok(Math.abs(box.height - height) < 1.5, `a row is ${box.height} high`);
    await picture(alice, `people-${height}`);
  }
});
