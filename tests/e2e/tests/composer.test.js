// The message field: what cannot be sent stays there, and a line says why.

import assert from "node:assert/strict";
import { test } from "node:test";

import { meet } from "../support/user.js";
import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

async function two(t) {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  const bob = await user(t, await world.bridge("bob"));
  for (const [who, name] of [[alice, "alice"], [bob, "bob"]]) {
    await who.register(name);
    await who.isIn(name);
  }
  return { world, alice, bob };
}

test("Enter sends nothing while nobody is in the chat, and the text stays", async (t) => {
  const { alice, bob } = await two(t);
  await alice.says("is anybody here?");
  await alice.cannotSend("No chat yet");
  assert.equal(await alice.composer.inputValue(), "is anybody here?");
  await picture(alice, "nobody-there");
  await meet(alice, bob, "alice", "bob");
  await alice.composer.press("Enter");
  await bob.reads("is anybody here?");
  assert.equal(await alice.composer.inputValue(), "");
});

test("a text stays in the field while the bridge is gone, for Enter and the button", async (t) => {
  const { world, alice, bob } = await two(t);
  await meet(alice, bob, "alice", "bob");
  await world.stopBridge(alice.bridge);
  await alice.banner.filter({ hasText: "p2pchat has stopped on this computer" }).waitFor();
  await alice.says("later, then");
  await alice.cannotSend("Not connected to your bridge");
  await alice.composer.fill("later, at noon");
  await alice.page.getByRole("button", { name: "Send" }).click();
  await alice.cannotSend("Not connected to your bridge");
  await picture(alice, "not-connected");
  await world.startBridge(alice.bridge);
  await alice.banner.waitFor({ state: "detached" });
  await alice.isIn("alice");
  assert.equal(await alice.composer.inputValue(), "later, at noon");
});

test("a text that is too long for the bridge is refused in the page", async (t) => {
  const { alice, bob } = await two(t);
  await meet(alice, bob, "alice", "bob");
  await alice.says("x".repeat(70_000));
  await alice.cannotSend("This message is too long");
  assert.equal((await alice.composer.inputValue()).length, 70_000);
  await alice.says("short enough");
  await bob.reads("short enough");
});
