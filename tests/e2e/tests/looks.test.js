// Small, dark, without a mouse, and for those who cannot see it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

/** Alice in a browser of these options, in a chat with bob who is at a terminal. */
async function chat(t, options) {
  const world = await World.start(t);
  const bob = await world.terminal("bob");
  const alice = await user(t, await world.bridge("alice"), options);
  await alice.register("alice");
  await alice.isIn("alice");
  bob.send("request", { to: { name: "alice" } });
  await alice.isAskedBy("bob");
  return { world, alice, bob };
}

/** What axe-core finds that keeps people out. */
async function obstacles(someone) {
  const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  // Not as a script of the page: its policy lets none in.
  await someone.page.evaluate(await readFile(axe, "utf8"));
  const { violations } = await someone.page.evaluate(() => window.axe.run());
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

async function fitsIn(someone, width) {
  const wide = await someone.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `the page is ${wide} wide`);
}

test("all can be done at a width of 360 pixels", async (t) => {
  const { alice, bob } = await chat(t, { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  await fitsIn(alice, 360);
  await picture(alice, "narrow-asked");
  await alice.request.getByRole("button", { name: "Accept" }).tap();
  await bob.event("member_joined");
  await alice.says("from a small screen");
  await bob.event("message", ({ text }) => text === "from a small screen");
  bob.send("say", { text: "andanextraordinarilylongwordthatfindsnoplacetobreakanywhereatallwithin360pixels" });
  await alice.reads("extraordinarily");
  await fitsIn(alice, 360);
  await picture(alice, "narrow-chat");
  await alice.page.getByRole("button", { name: "Chats" }).tap();
  await alice.members.getByText("bob", { exact: true }).waitFor();
  await fitsIn(alice, 360);
  await picture(alice, "narrow-people");
  await alice.account();
  await fitsIn(alice, 360);
  await picture(alice, "narrow-account");
});

test("nothing keeps people out, in the light and in the dark", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    await t.test(colorScheme, async (t) => {
      const world = await World.start(t);
      const stranger = await user(t, await world.bridge("stranger"), { colorScheme });
      await stranger.name.waitFor();
      assert.deepEqual(await obstacles(stranger), []);
      await picture(stranger, `sign-in-${colorScheme}`);
      await stranger.page.getByRole("button", { name: "Import identity" }).click();
      await stranger.sheet.waitFor();
      assert.deepEqual(await obstacles(stranger), []);
      await picture(stranger, `import-${colorScheme}`);
      const { alice, bob } = await chat(t, { colorScheme });
      assert.deepEqual(await obstacles(alice), []);
      await picture(alice, `asked-${colorScheme}`);
      await alice.answers("Accept");
      await alice.says(`How do I look in the ${colorScheme}?`);
      bob.send("say", { text: "Splendid, from here. And the rest of it: https://example.org" });
      await alice.reads("Splendid");
      await alice.settings();
      assert.deepEqual(await obstacles(alice), []);
      await alice.page.keyboard.press("Escape");
      await picture(alice, `chat-${colorScheme}`);
      await alice.account();
      assert.deepEqual(await obstacles(alice), []);
      await picture(alice, `account-${colorScheme}`);
    });
  }
});

test("the system chooses the colours until the user does", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"), { colorScheme: "dark" });
  await alice.register("alice");
  await alice.isIn("alice");
  const brightness = () =>
    alice.page.evaluate(() => {
      const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g);
      return (Number(red) + Number(green) + Number(blue)) / 3;
    });
  assert.ok((await brightness()) < 64);
  await alice.settings();
  await alice.page.getByRole("button", { name: "Light" }).click();
  assert.ok((await brightness()) > 192);
  await alice.page.reload();
  await alice.isIn("alice");
  assert.ok((await brightness()) > 192);
});

test("all can be done without a mouse, and the focus is seen", async (t) => {
  const world = await World.start(t);
  const bob = await world.terminal("bob");
  const alice = await user(t, await world.bridge("alice"));
  const { keyboard } = alice.page;
  const focused = alice.page.locator(":focus");
  /** Moves on by Tab until what has the focus has this accessible name. */
  const tabTo = async (role, name, key = "Tab") => {
    const wanted = focused.and(alice.page.getByRole(role, { name }));
    for (let steps = 0; steps < 40; steps += 1) {
      await keyboard.press(key);
      if ((await wanted.count()) === 1) return assert.ok(await isMarked(focused), `${name} shows no focus`);
    }
    assert.fail(`Tab does not lead to ${name}`);
  };

  await focused.and(alice.name).waitFor();
  await tabTo("button", "Create account", "Shift+Tab");
  await keyboard.press("Enter");
  await focused.and(alice.name).waitFor();
  await keyboard.type("alice");
  await keyboard.press("Tab");
  await keyboard.type("correct horse");
  await tabTo("textbox", "Password again");
  await keyboard.type("correct horse");
  await keyboard.press("Enter");
  await alice.isIn("alice");

  await tabTo("button", "Refresh who is online");
  await keyboard.press("Enter");
  await alice.askButton("bob").waitFor();
  await tabTo("button", /^bob/);
  await keyboard.press("ArrowRight");
  await focused.and(alice.askButton("bob")).waitFor();
  await picture(alice, "keyboard-focus");
  await keyboard.press("Enter");
  const request = await bob.event("request_received");
  bob.send("accept", { from: request.from.address });
  await focused.and(alice.composer).waitFor();
  await keyboard.type("no mouse");
  await keyboard.press("Shift+Enter");
  await keyboard.type("anywhere");
  await keyboard.press("Enter");
  await bob.event("message", ({ text }) => text === "no mouse\nanywhere");

  await tabTo("button", "Actions for this chat", "Shift+Tab");
  await keyboard.press("Enter");
  await focused.and(alice.page.getByRole("menuitem", { name: "Leave…" })).waitFor();
  await keyboard.press("Enter");
  // What does nothing has the focus first.
  await focused.and(alice.page.getByRole("button", { name: "Cancel", exact: true })).waitFor();
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await alice.members.waitFor({ state: "detached" });
  // Bob's program still has her in the chat, until a message to her is refused.
  bob.send("leave");
  await bob.event("chat_left");
  bob.send("request", { to: { name: "alice" } });
  await alice.isAskedBy("bob");
  // Not answered by a key that was meant for something else: it begins disabled.
  await alice.request.getByRole("button", { name: "Decline", exact: true }).and(alice.page.locator(":enabled")).waitFor();
  await tabTo("button", "Decline");
  await keyboard.press("Enter");
  await bob.event("request_answered");
});

test("in colours that the user has forced, states are told apart and the focus is seen", async (t) => {
  const { alice, bob } = await chat(t, { forcedColors: "active" });
  const look = (locator) =>
    locator.evaluate((element) => {
      const { backgroundColor, color, borderColor, transform } = getComputedStyle(element);
      return JSON.stringify({ backgroundColor, color, borderColor, transform });
    });
  const answer = (name) => alice.request.getByRole("button", { name, exact: true });
  // Not answered by a click that was meant for something else: they begin disabled.
  for (const name of ["Accept", "Decline"]) await answer(name).and(alice.page.locator(":enabled")).waitFor();
  assert.notEqual(await look(answer("Accept")), await look(answer("Decline")));
  await picture(alice, "forced-asked");
  await alice.settings();
  const sound = alice.page.getByRole("switch", { name: "Sound" });
  const parts = [sound.locator(".switch-track"), sound.locator(".switch-knob")];
  const off = await Promise.all(parts.map(look));
  await sound.click();
  await sound.and(alice.page.getByRole("switch", { checked: true })).waitFor();
  await alice.page.waitForFunction(
    (before) => {
      const track = document.querySelector("#menu [aria-checked=true] .switch-track");
      return getComputedStyle(track).backgroundColor !== JSON.parse(before).backgroundColor;
    },
    off[0],
  );
  assert.notEqual(await look(parts[1]), off[1]);
  await alice.page.keyboard.press("Escape");
  await alice.answers("Accept");
  await alice.says("Which one is mine?");
  bob.send("say", { text: "The one with the other border. https://example.org" });
  await alice.reads("The one with");
  const [mine, theirs] = ["Which one", "The one with"].map((text) => alice.said(text).locator(".bubble"));
  assert.notEqual(await look(mine), await look(theirs));
  for (const step of Array(5).fill("Shift+Tab")) {
    await alice.page.keyboard.press(step);
    assert.ok(await isMarked(alice.page.locator(":focus")));
  }
  assert.deepEqual(await obstacles(alice), []);
  await picture(alice, "forced-chat");
});

test("at 320 pixels, and so at 400 % zoom of 1280, nothing is cut off", async (t) => {
  const { alice, bob } = await chat(t, { viewport: { width: 320, height: 480 } });
  await alice.answers("Accept");
  bob.send("say", { text: "见https://example.org/a/very/long/path/that/has/no/break/and/goes/on，然后看" });
  await alice.reads("然后看");
  await alice.says("سلام https://example.org/a\nthis line goes the other way");
  await fitsIn(alice, 320);
  await picture(alice, "zoomed-chat");
  await alice.page.getByRole("button", { name: "Chats" }).click();
  await alice.isWith("bob");
  await fitsIn(alice, 320);
  await picture(alice, "zoomed-people");
});

test("each line of a message has its own direction, and a link keeps its own", async (t) => {
  const { alice, bob } = await chat(t);
  await alice.answers("Accept");
  const arabic = "انظر https://example.org/a/b?c=d، ثم";
  bob.send("say", { text: `an English line, which is long enough to be wider\n${arabic}` });
  await alice.reads("an English line");
  await picture(alice, "two-directions");
  const bubble = alice.said("an English line").locator(".bubble");
  const [line, arabicLine] = await bubble.evaluate((bubble) => {
    const text = bubble.querySelector(".text").firstChild;
    const place = (from, to) => {
      const range = document.createRange();
      range.setStart(text, from);
      range.setEnd(text, to);
      const { left, right } = range.getBoundingClientRect();
      const box = bubble.getBoundingClientRect();
      return { left: left - box.left, right: box.right - right };
    };
    const second = text.data.indexOf("\n") + 1;
    return [place(0, second - 1), place(second, second + 3)];
  });
  assert.ok(line.left < 30, `the English line begins at ${line.left}`);
  assert.ok(arabicLine.right < 30, `the Arabic line begins ${arabicLine.right} from the right`);
  // What stands at the end of the text is where it ends.
  const meta = await bubble.locator(".meta").evaluate((meta) => {
    return meta.getBoundingClientRect().left - meta.parentElement.getBoundingClientRect().left;
  });
  assert.ok(meta < 30, `the time is ${meta} from the left`);
  const link = bubble.getByRole("link");
  assert.equal(await link.getAttribute("href"), "https://example.org/a/b?c=d");
  assert.equal(await link.evaluate((a) => getComputedStyle(a).unicodeBidi), "isolate");
  assert.equal(await link.evaluate((a) => getComputedStyle(a).direction), "ltr");
});

/** Whether the focus on an element is seen: by an outline or a shadow, of it or of its box. */
function isMarked(locator) {
  return locator.evaluate((element) => {
    const marks = ({ outlineStyle, outlineWidth, boxShadow }) =>
      (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    return [element, element.parentElement].some((one) => marks(getComputedStyle(one)));
  });
}
