// The main walk, the same in each browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import { launch, Walker } from "../support/walker.js";
import { World } from "../support/world.js";

for (const [first, second] of [["firefox", "firefox"], ["chromium", "firefox"]]) {
  test(`two people sign up, chat, make a group, reload and leave, in ${first} and ${second}`, async (t) => {
    const world = await World.start(t);
    const carol = await world.terminal("carol");
    const browsers = await Promise.all([launch(t, first), launch(t, second)]);
    const [alice, bob] = await Promise.all(
      ["alice", "bob"].map(async (name, nth) => Walker.open(browsers[nth], await world.bridge(name))),
    );
    for (const one of [alice, bob]) await one.signsUp();

    await alice.clicks(".people .row-main", "bob");
    await alice.sees(".chat-head", "Encrypted");
    await alice.says("good morning");
    await alice.reads("Waiting for bob");
    await bob.clicks(".chat-row", "alice");
    await bob.clicks(".answer button", "Accept");
    await bob.reads("good morning");
    await bob.says("and to you 👍");
    await alice.reads("and to you 👍");

    await alice.clicks(".chats button", "New");
    for (const name of ["bob", "carol"]) await alice.clicks("dialog .picks label", name);
    await alice.fills("Name of the group (optional)", "Lunch");
    await alice.clicks("dialog button[type=submit]", "Create group");
    await alice.sees(".chat-row[aria-current]", "Lunch");
    await alice.says("who is hungry?");
    await bob.clicks(".chat-row", "Lunch");
    await bob.clicks(".answer button", "Join");
    await bob.reads("who is hungry?");
    const asked = await carol.event("chat", ({ chat }) => chat.name === "Lunch");
    carol.send("join", { conversation: asked.conversation });
    carol.send("say", { conversation: asked.conversation, text: "I am" });
    for (const one of [alice, bob]) await one.reads("I am");
    await alice.picture(`walk-${first}`);

    // Loaded again, it is as it was, with what was not sent yet.
    await alice.page.type("#composer", "half a text");
    await alice.page.reload();
    await alice.sees(".chat-row[aria-current]", "Lunch");
    await alice.reads("I am");
    await alice.page.waitForFunction(() => document.querySelector("#composer")?.value === "half a text");

    await bob.clicks(".chat-head .more", "");
    await bob.clicks("[role=menuitem]", "Leave");
    await bob.clicks("[role=alertdialog] button", "Leave");
    await alice.sees(".notice-row", "bob left");
    await alice.picture(`walk-left-${first}`);
    for (const one of [alice, bob]) assert.deepEqual(one.wrong, [], "the page reports errors");
  });
}
