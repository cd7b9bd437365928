// Two browsers and a terminal in one chat.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { chat } from "../support/chat.js";
import { meet } from "../support/user.js";
import { World } from "../support/world.js";

useBrowser();

test("two browsers and a terminal chat in one group", async (t) => {
  const world = await World.start(t);
  const carol = await world.terminal("carol");
  const alice = await user(t, await world.bridge("alice"));
  const bob = await user(t, await world.bridge("bob"));
  for (const [who, name] of [[alice, "alice"], [bob, "bob"]]) {
    await who.register(name);
    await who.isIn(name);
  }
  await meet(alice, bob, "alice", "bob");
  await alice.says("Shall we ask Carol too?");
  await bob.reads("Shall we ask Carol too?");
  await bob.says("Sure 👍");
  await alice.reads("Sure");

  // Nobody asks for it: presence is pushed.
  await carol.event("presence", ({ users }) => users.some(({ name }) => name === "bob"));
  // Asked by one of two, so she finds herself in a group.
  await bob.ask("carol");
  const request = await carol.event("request_received");
  assert.equal(request.from.name, "bob");
  assert.deepEqual(request.members.map((member) => member.name), ["alice"]);
  carol.allow("alice", "bob");
  carol.send("accept", { from: request.from.address });
  await Promise.all([alice.isWith("carol"), bob.isWith("carol")]);

  await alice.says("Hello Carol! Lunch at noon?");
  await bob.reads("Lunch at noon?");
  await carol.event("message", ({ text }) => text === "Hello Carol! Lunch at noon?");
  carol.send("say", { text: "Yes, and it is my turn to pay. See https://example.org/menu" });
  await Promise.all([alice.reads("my turn to pay"), bob.reads("my turn to pay")]);
  await alice.page.getByRole("img", { name: /^delivered: (bob, carol|carol, bob)$/ }).waitFor();
  await bob.says("12 o'clock it is,\nat the corner.");
  await alice.reads("at the corner.");
  await carol.event("message", ({ text }) => text.includes("\nat the corner."));
  await alice.page.getByRole("heading", { name: /^(bob, carol|carol, bob)$/ }).waitFor();
  await picture(alice, "group");
  await picture(bob, "group-other-side");
});

test("a user who has left gets no messages, and the sender sees that", async (t) => {
  const { alice, bob } = await chat(t);
  bob.send("leave");
  await bob.event("chat_left");
  await alice.says("Are you still there?");
  await alice.page.getByText("not delivered to bob: they have left the chat").waitFor();
  await picture(alice, "not-delivered");
});
