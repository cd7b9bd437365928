// Blocking: from a request, from a list, from a message; and back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

/** Alice in a browser of these options, and others at terminals. */
async function alone(t, names, options) {
  const world = await World.start(t);
  const others = {};
  for (const name of names) others[name] = await world.terminal(name);
  const bridge = await world.bridge("alice");
  const alice = await user(t, bridge, options);
  await alice.register("alice");
  await alice.isIn("alice");
  for (const name of names) await alice.sees(name);
  return { world, alice, bridge, ...others };
}

const button = (where, name) => where.getByRole("button", { name, exact: true });
const unblock = (alice, name) => button(alice.people, `Unblock ${name}`);

test("a requester is blocked from the request, and stays so after a restart", async (t) => {
  const { world, alice, bridge, mallory } = await alone(t, ["mallory"]);
  mallory.send({ request: { to: { address: bridge.address } } });
  await alice.isAskedBy("mallory");
  await picture(alice, "block-asked");
  await alice.request.getByRole("button", { name: /^Block/ }).click();
  await alice.isTold("mallory is blocked");
  await mallory.event("request_answered", ({ refusal }) => refusal === "rejected");
  await unblock(alice, "mallory").waitFor();
  await picture(alice, "blocked");

  await world.stopBridge(bridge);
  await world.startBridge(bridge);
  await alice.page.goto(bridge.url);
  await alice.signIn("alice");
  await alice.isIn("alice");
  await unblock(alice, "mallory").waitFor();
  mallory.send({ request: { to: { address: bridge.address } } });
  await mallory.event("request_answered", ({ refusal }) => refusal === "rejected");
  assert.equal(await alice.request.count(), 0);
  await alice.people.getByText("Ignored").click();
  await alice.people.getByText("mallory (").waitFor();

  await unblock(alice, "mallory").click();
  await alice.isTold("mallory is no longer blocked");
  mallory.send({ request: { to: { address: bridge.address } } });
  await alice.isAskedBy("mallory");
});

for (const [look, options] of [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true }],
]) {
  test(`a member is blocked from what was said, by the keyboard, ${look}`, async (t) => {
    const { alice, bob } = await alone(t, ["bob", "carol"], options);
    bob.send({ request: { to: { name: "alice" } } });
    await alice.isAskedBy("bob");
    await alice.answers("Accept");
    await bob.event("member_joined");
    bob.send({ say: { text: "unkind words" } });
    await alice.reads("unkind words");
    const beside = button(alice.said("unkind words"), "Block bob");
    await beside.focus();
    await picture(alice, `block-said-${look}`);
    await beside.press("Enter");
    await alice.isTold("bob is no longer in the chat: you blocked them");
    bob.send({ say: { text: "more of them" } });
    await bob.event("member_left", ({ reason }) => reason === "refused");
    assert.equal(await alice.said("more of them").count(), 0);
    if (look === "narrow") await alice.page.getByRole("button", { name: "People" }).tap();
    await unblock(alice, "bob").waitFor();
    await button(alice.online, "Block carol").click();
    await unblock(alice, "carol").waitFor();
    await unblock(alice, "carol").scrollIntoViewIfNeeded();
    await picture(alice, `block-list-${look}`);
    const wide = await alice.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= alice.page.viewportSize().width, `the page is ${wide} wide`);
  });
}
