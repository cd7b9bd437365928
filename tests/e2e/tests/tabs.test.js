// Pages that are loaded again, and several of them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, tab, useBrowser, user } from "../support/browser.js";
import { meet } from "../support/user.js";
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
  await meet(alice, bob, "alice", "bob");
  return { world, alice, bob };
}

test("a page that is loaded again has everything, a draft too", async (t) => {
  const { alice, bob } = await two(t);
  await alice.says("before the reload");
  await bob.reads("before the reload");
  await bob.says("so I see");
  await alice.reads("so I see");
  await alice.composer.fill("half a thou");
  await alice.page.reload();
  await alice.isIn("alice");
  await alice.isWith("bob");
  await alice.reads("before the reload");
  await alice.reads("so I see");
  assert.equal(await alice.composer.inputValue(), "half a thou");
  await alice.says("after the reload");
  await bob.reads("after the reload");
  await picture(alice, "reloaded");
});

test("what arrives while no page is open is there when one is", async (t) => {
  const { alice, bob } = await two(t);
  const context = alice.page.context();
  await alice.page.close();
  await bob.says("are you there?");
  await bob.page.getByRole("img", { name: "delivered: alice" }).waitFor();
  const later = await tab(context, alice.bridge);
  await later.reads("are you there?");
});

test("two tabs show the same", async (t) => {
  const { alice, bob } = await two(t);
  const second = await tab(alice.page.context(), alice.bridge);
  await second.isWith("bob");
  await second.says("from the second tab");
  await Promise.all([alice.reads("from the second tab"), bob.reads("from the second tab")]);
  await bob.says("to both");
  await Promise.all([alice.reads("to both"), second.reads("to both")]);
  await alice.status.selectOption("Do not disturb");
  await second.isShownAs("Do not disturb");
  await alice.leaves();
  await second.members.waitFor({ state: "detached" });
});

test("a hundred texts stay in order, and only those in sight are in the page", async (t) => {
  const { alice, bob } = await two(t);
  for (let number = 1; number <= 100; number += 1) await alice.says(`text number ${number}.`);
  await bob.reads("text number 100.");
  const shown = await bob.conversation.getByRole("article").allInnerTexts();
  assert.ok(shown.length < 100, `${shown.length} are in the page`);
  const numbers = shown.map((text) => Number(text.match(/number (\d+)\./)[1]));
  assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
  await bob.page.getByRole("button", { name: "Search the history" }).click();
  await bob.page.getByRole("searchbox", { name: "Words to look for" }).fill("number 3");
  await bob.page.getByRole("searchbox", { name: "Words to look for" }).press("Enter");
  await bob.page.getByRole("button", { name: "text number 3." }).click();
  await bob.reads("text number 3.");
  await picture(bob, "found");
});
