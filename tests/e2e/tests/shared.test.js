// The page and a terminal of one user: one peer, whichever of the two runs it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { chat } from "../support/chat.js";
import { PASSWORD, World } from "../support/world.js";

useBrowser();

/** Alice in a browser, with a terminal beside it, in a chat with bob. */
async function both(t, options) {
  const { world, alice, bob } = await chat(t, options);
  const terminal = await world.terminalBeside(alice.bridge);
  assert.equal(terminal.view.view.account, "alice");
  return { world, alice, bob, terminal };
}

/** Waits until the message field holds this. */
async function holds(someone, text) {
  const isIt = (wanted) => document.getElementById("composer")?.value === wanted;
  await someone.page.waitForFunction(isIt, text);
}

/** The page goes out of sight, where messages are not read. */
async function looksAway(someone) {
  await someone.page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
}

const hasTitle = (someone, title) => someone.page.waitForFunction((title) => document.title === title, title);

/** Signs in again above the chat, as the registry wants after another program had the session. */
async function signsInAgain(someone) {
  const form = someone.page.getByRole("form", { name: "Sign in" });
  await form.getByLabel("Password of alice").fill(PASSWORD);
  await form.getByRole("button", { name: "Sign in" }).click();
  await form.waitFor({ state: "detached" });
}

test("a text of the one is in the other once, and the busy switch is one", async (t) => {
  const { alice, bob, terminal } = await both(t);
  terminal.send("say", { id: 1, text: "from the terminal" });
  await terminal.event("done", ({ re }) => re === 1);
  await alice.reads("from the terminal");
  await alice.says("from the page");
  await terminal.event("message", ({ text }) => text === "from the page");
  for (const wanted of ["from the terminal", "from the page"]) {
    // The next one that comes: there is none in between.
    assert.equal((await bob.event("message")).text, wanted);
    await alice.reads(wanted);
  }
  await alice.status.selectOption("Do not disturb");
  await terminal.event("busy", ({ on }) => on);
  terminal.send("busy", { on: false });
  await alice.isShownAs("Available");
});

test("what is read in the one is not unread in the other", async (t) => {
  const { alice, bob, terminal } = await both(t);
  bob.send("say", { text: "one" });
  const { id } = await terminal.event("message", ({ text }) => text === "one");
  await terminal.event("read", ({ message }) => message === id);
  await looksAway(alice);
  for (const text of ["two", "three"]) bob.send("say", { text });
  const { id: last } = await terminal.event("message", ({ text }) => text === "three");
  await hasTitle(alice, "(2) alice · p2pchat");
  terminal.send("read", { message: last });
  await hasTitle(alice, "alice · p2pchat");
  await alice.page.reload();
  await alice.reads("three");
  await hasTitle(alice, "alice · p2pchat");
});

test("a draft goes on in the other, but not over what is being typed", async (t) => {
  const { alice, terminal } = await both(t);
  terminal.send("draft", { text: "begun in the terminal" });
  await holds(alice, "begun in the terminal");
  await alice.composer.pressSequentially(", and on in the page");
  await terminal.event("draft", ({ text }) => text === "begun in the terminal, and on in the page");
  terminal.send("draft", { text: "both at once", id: 2 });
  await terminal.event("done", ({ re }) => re === 2);
  terminal.send("say", { text: "after it" });
  await alice.reads("after it");
  assert.equal(await alice.composer.inputValue(), "begun in the terminal, and on in the page");
  await alice.composer.press("Enter");
  await alice.reads("and on in the page");
  await terminal.event("draft", ({ text }) => text === "");
});

test("a page goes on where the terminal of version 1 takes over from a bridge that was killed", async (t) => {
  const { world, alice, bob, terminal } = await both(t, { plaintext: true });
  await alice.says("before it");
  await bob.event("message", ({ text }) => text === "before it");
  await alice.composer.fill("half a thou");
  await terminal.event("draft", ({ text }) => text === "half a thou");
  await alice.bridge.process.kill();
  await terminal.event("view", ({ view }) => view.account === "alice");
  terminal.send("say", { text: "while it was gone" });
  await bob.event("message", ({ text }) => text === "while it was gone");
  await world.startBridge(alice.bridge);
  await alice.isWith("bob");
  await alice.reads("while it was gone");
  assert.equal(await alice.said("before it").count(), 1);
  assert.equal(await alice.composer.inputValue(), "half a thou");
  await alice.page.getByText("Sign in again").waitFor();
  await picture(alice, "password-needed");
  await signsInAgain(alice);
  await alice.composer.press("Enter");
  await bob.event("message", ({ text }) => text === "half a thou");
  await alice.people.getByText("connected", { exact: true }).waitFor();
});

test("a page goes on where its bridge takes over from a terminal that was killed", async (t) => {
  const world = await World.start(t);
  const bob = await world.terminal("bob");
  const bridge = await world.bridgeBeside("alice");
  const alice = await user(t, bridge);
  await alice.isIn("alice");
  await alice.ask("bob");
  await bob.accepts("alice");
  await alice.isWith("bob");
  await alice.composer.fill("half a thou");
  await bridge.terminal.process.kill();
  // The key of this computer signs in, from the bridge: nothing is asked.
  await bob.event("presence", ({ gone, users }) => [...gone, ...users.map(({ name }) => name)].includes("alice"));
  await alice.people.getByText("connected", { exact: true }).waitFor();
  assert.equal(await alice.page.getByText("Sign in again").count(), 0);
  assert.equal(await alice.composer.inputValue(), "half a thou");
  await alice.isWith("bob");
  await alice.composer.press("Enter");
  await bob.event("message", ({ text }) => text === "half a thou");
  bob.send("say", { text: "and back" });
  await alice.reads("and back");
});

test("a text on its way while the connection breaks is in the chat once", async (t) => {
  const world = await World.start(t);
  const bob = await world.terminal("bob");
  const bridge = await world.bridge("alice");
  const alice = await user(t, { ...bridge, url: "about:blank" });
  let breaks = false;
  await alice.page.routeWebSocket(/./, (ws) => {
    const server = ws.connectToServer();
    ws.onMessage((text) => {
      server.send(text);
      // The bridge has the text, and the page gets no answer.
      if (breaks && JSON.parse(text).command === "say") ws.close({ code: 4000 });
    });
    server.onMessage((text) => {
      if (!breaks) ws.send(text);
    });
  });
  await alice.page.goto(bridge.url);
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.ask("bob");
  await bob.accepts("alice");
  await alice.isWith("bob");
  breaks = true;
  await alice.says("exactly once");
  await bob.event("message", ({ text }) => text === "exactly once");
  breaks = false;
  await alice.reads("exactly once");
  await holds(alice, "");
  await alice.says("and then");
  assert.equal((await bob.event("message")).text, "and then");
  await alice.reads("and then");
  assert.equal(await alice.said("exactly once").count(), 1);
});

test("a text in the moment in which the bridge is killed is in the chat once", async (t) => {
  const { world, alice, bob, terminal } = await both(t);
  for (let nth = 0; nth < 4; nth += 1) {
    const text = `exactly once, number ${nth}`;
    await alice.composer.fill(text);
    if (nth % 2) {
      // It takes the text, as far as the page can tell, and never reads it.
      alice.bridge.process.signal("SIGSTOP");
      await alice.composer.press("Enter");
      await holds(alice, "");
      await alice.bridge.process.kill();
    } else {
      await Promise.all([alice.composer.press("Enter"), alice.bridge.process.kill()]);
    }
    // The page tries again and again, and says so in between.
    const away = alice.banner.filter({ hasText: /p2pchat has stopped|Connecting to p2pchat/ });
    await away.waitFor();
    await world.startBridge(alice.bridge);
    await away.waitFor({ state: "detached" });
    // The bridge was gone before the key: the field keeps the text.
    if ((await alice.composer.inputValue()) === text) await alice.composer.press("Enter");
    assert.equal((await bob.event("message")).text, text);
    await alice.reads(text);
    await holds(alice, "");
    assert.equal(await alice.said(text).count(), 1);
  }
  assert.ok(terminal);
});
