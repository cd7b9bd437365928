// What is gone and comes back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { chat } from "../support/chat.js";
import { PASSWORD, World } from "../support/world.js";

useBrowser();

/** Alice in a browser and bob at a terminal, in one chat. */
async function two(t, options) {
  const { world, alice, bob } = await chat(t, options);
  await alice.says("before the restart");
  await bob.event("message", ({ text }) => text === "before the restart");
  return { world, alice, bob };
}

test("a bridge that is gone is told, and when it is back the page goes on", async (t) => {
  const { world, alice } = await two(t);
  await world.stopBridge(alice.bridge);
  await alice.banner.filter({ hasText: "p2pchat has stopped on this computer" }).waitFor();
  await picture(alice, "bridge-gone");
  // Nothing says that all is well.
  await alice.people.getByText("not connected", { exact: true }).waitFor();
  await alice.page.locator(".me .dot.wait").waitFor();
  await alice.says("into the void");
  assert.equal(await alice.composer.inputValue(), "into the void");
  await world.startBridge(alice.bridge);
  // The key of this computer signs in.
  await alice.isIn("alice");
  await alice.reads("before the restart");
  assert.equal(await alice.composer.inputValue(), "into the void");
});

test("a registry that is gone is told, the chat goes on, and all is well when it is back", async (t) => {
  const { world, alice, bob } = await two(t);
  await world.stopRegistry();
  await alice.banner.filter({ hasText: "Cannot reach the registry" }).waitFor();
  await alice.says("without a registry");
  await bob.event("message", ({ text }) => text === "without a registry");
  bob.send("say", { text: "works" });
  await alice.reads("works");
  await picture(alice, "registry-gone");
  await world.startRegistry();
  await alice.banner.waitFor({ state: "detached" });
  await alice.people.getByText("connected", { exact: true }).waitFor();
  const carol = await world.terminal("carol");
  await alice.sees("carol");
  carol.send("search", { name: "alice" });
  await carol.event("found", ({ address }) => address === alice.bridge.address);
});

test("before the sign-in, a registry that is gone is told without a word of chats", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  await alice.page.getByText("connected").waitFor();
  await world.stopRegistry();
  await alice.banner.filter({ hasText: "Is p2pchat-registry running there?" }).or(
    alice.banner.filter({ hasText: "is p2pchat-registry running there?" })).waitFor();
  assert.equal(await alice.page.getByText(/chats? goes? on/i).count(), 0);
  await picture(alice, "registry-gone-before");
  await world.startRegistry();
  await alice.banner.waitFor({ state: "detached" });
});

test("a user of an older program who signs in elsewhere is told here, and comes back by one button", async (t) => {
  const { world, alice } = await two(t, { plaintext: true });
  const other = await user(t, await world.bridge("other"));
  await other.signIn("alice");
  await other.isIn("alice");
  await alice.people.getByRole("button", { name: "Refresh who is online" }).click();
  await alice.banner.filter({ hasText: "You are signed in on another computer" }).waitFor();
  await alice.page.locator(".me .dot.wait").waitFor();
  await picture(alice, "elsewhere");
  await alice.page.getByRole("button", { name: "Use this one" }).click();
  await alice.page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal(await alice.name.inputValue(), "alice");
  await alice.password.fill(PASSWORD);
  await alice.submit.click();
  await alice.isIn("alice");
  await alice.people.getByRole("button", { name: "Refresh who is online" }).click();
  await alice.page.locator(".me .dot.ok").waitFor();
  assert.equal(await alice.banner.count(), 0);
});

test("a page that is older than its bridge says so, and keeps what was typed", async (t) => {
  const { world, alice } = await two(t, { expected: /404/ });
  await alice.composer.fill("half a thou");
  await world.stopBridge(alice.bridge);
  await alice.banner.filter({ hasText: "p2pchat has stopped" }).waitFor();
  // The files of the next build have other names.
  const gone = (route) => route.fulfill({ status: 404, body: "" });
  await alice.page.route(/\.(js|css)$/, gone);
  await world.startBridge(alice.bridge);
  await alice.isIn("alice");
  await alice.banner.filter({ hasText: "p2pchat was updated" }).waitFor();
  await picture(alice, "outdated");
  await alice.page.unroute(/\.(js|css)$/, gone);
  await alice.page.getByRole("button", { name: "Load again" }).click();
  await alice.isIn("alice");
  assert.equal(await alice.composer.inputValue(), "half a thou");
  assert.equal(await alice.banner.count(), 0);
});
