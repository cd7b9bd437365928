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
const blockedList = (alice) => alice.people.getByRole("region", { name: /^Blocked/ });
const blocks = (alice, part, name) => alice.picks(part, name, "Block…", "Block");
const isBlocked = (alice, name) => blockedList(alice).getByText(name, { exact: true }).waitFor();

test("a requester is blocked from the request, and stays so after a restart", async (t) => {
  const { world, alice, bridge, mallory } = await alone(t, ["mallory"]);
  mallory.send("request", { to: { address: bridge.address } });
  await alice.isAskedBy("mallory");
  await picture(alice, "block-asked");
  await blocks(alice, alice.request, "mallory");
  await alice.isTold("mallory is blocked");
  await mallory.event("request_answered", ({ refusal }) => refusal === "rejected");
  await isBlocked(alice, "mallory");
  await picture(alice, "blocked");

  await world.stopBridge(bridge);
  await world.startBridge(bridge);
  await alice.page.goto(bridge.url);
  await alice.isIn("alice");
  await isBlocked(alice, "mallory");
  mallory.send("request", { to: { address: bridge.address } });
  await mallory.event("request_answered", ({ refusal }) => refusal === "rejected");
  assert.equal(await alice.request.count(), 0);
  await alice.people.getByText("Ignored").click();
  await alice.people.getByText("mallory (").waitFor();

  await alice.picks(blockedList(alice), "mallory", "Unblock…", "Unblock");
  await alice.isTold("mallory is no longer blocked");
  mallory.send("request", { to: { address: bridge.address } });
  await alice.isAskedBy("mallory");
});

test("a question comes before a block or a leave, and an undo after", async (t) => {
  const { alice, bob } = await alone(t, ["bob", "carol"]);
  bob.send("request", { to: { name: "alice" } });
  await alice.isAskedBy("bob");
  await alice.answers("Accept");
  await bob.event("member_joined");
  const { keyboard } = alice.page;
  const focused = alice.page.locator(":focus");

  // Cancel has the focus, and Escape does nothing either; the focus goes back to the button.
  const menu = button(alice.online, "Actions for carol");
  for (const leave of ["Enter", "Escape"]) {
    await menu.focus();
    await keyboard.press("Enter");
    await focused.and(alice.page.getByRole("menuitem", { name: "Compare codes" })).waitFor();
    await keyboard.press("ArrowDown");
    await focused.and(alice.page.getByRole("menuitem", { name: "Block…" })).waitFor();
    await keyboard.press("Enter");
    await focused.and(button(alice.page, "Cancel")).waitFor();
    await picture(alice, "block-question");
    await keyboard.press(leave);
    await focused.and(menu).waitFor();
  }
  assert.equal(await blockedList(alice).count(), 0);

  // What is below the pointer does not move when the offer comes.
  const { x, y } = await menu.boundingBox();
  await blocks(alice, alice.online, "carol");
  await isBlocked(alice, "carol");
  await alice.undo.waitFor();
  const after = await button(alice.online, "Actions for carol").boundingBox();
  assert.deepEqual([after.x, after.y], [x, y]);
  await picture(alice, "undo");
  await alice.undo.click();
  await alice.isTold("carol is no longer blocked");
  await blockedList(alice).waitFor({ state: "detached" });
  await alice.undo.waitFor({ state: "detached" });

  await alice.leaves();
  await alice.isTold("you left the chat");
  await alice.members.waitFor({ state: "detached" });
  await alice.undo.click();
  await alice.isWith("bob");
  await alice.says("here I am again");
  await bob.event("message", ({ text }) => text === "here I am again");
});

test("Shift F10 opens the menu of a row, and a click elsewhere closes it", async (t) => {
  const { alice, bob } = await alone(t, ["bob"]);
  await alice.askButton("bob").focus();
  await alice.page.keyboard.press("Shift+F10");
  await alice.page.getByRole("menuitem", { name: "Block…" }).waitFor();
  await alice.composer.click();
  await alice.page.getByRole("menuitem").waitFor({ state: "detached" });
  assert.equal(await alice.page.evaluate(() => document.activeElement.id), "composer");
  bob.send("logout");
});

for (const [look, options] of [
  ["light", {}],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true }],
]) {
  test(`a member is blocked from what was said, by the keyboard, ${look}`, async (t) => {
    const { alice, bob } = await alone(t, ["bob", "carol"], options);
    bob.send("request", { to: { name: "alice" } });
    await alice.isAskedBy("bob");
    await alice.answers("Accept");
    await bob.event("member_joined");
    bob.send("say", { text: "unkind words" });
    await alice.reads("unkind words");
    const beside = button(alice.said("unkind words"), "Actions for bob");
    await beside.focus();
    await beside.press("Enter");
    await alice.page.getByRole("menuitem", { name: "Block…" }).press("Enter");
    await picture(alice, `block-said-${look}`);
    await alice.page.getByRole("alertdialog").getByRole("button", { name: "Block" }).press("Enter");
    await alice.isTold("bob is no longer in the chat: you blocked them");
    bob.send("say", { text: "more of them" });
    await bob.event("member_left", ({ reason }) => reason === "refused");
    assert.equal(await alice.said("more of them").count(), 0);
    if (look === "narrow") await alice.page.getByRole("button", { name: "Chats" }).tap();
    await isBlocked(alice, "bob");
    await blocks(alice, alice.online, "carol");
    await isBlocked(alice, "carol");
    await blockedList(alice).scrollIntoViewIfNeeded();
    await picture(alice, `block-list-${look}`);
    const wide = await alice.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= alice.page.viewportSize().width, `the page is ${wide} wide`);
  });
}

test("what a blocked person writes in a group is folded away, in the list too", async (t) => {
  const { alice, bob, carol } = await alone(t, ["bob", "carol"]);
  carol.send("group", { name: "Lunch", members: ["alice", "bob"] });
  const { conversation } = await carol.event("opened");
  await bob.event("chat", (chat) => chat.conversation === conversation);
  bob.send("join", { conversation });
  const lunch = alice.people.locator(".chat-row").filter({ hasText: "Lunch" });
  await lunch.click();
  await button(alice.request, "Join").click();
  carol.send("say", { conversation, text: "at noon?" });
  await alice.reads("at noon?");
  bob.send("say", { conversation, text: "buy this now" });
  await alice.reads("buy this now");
  await lunch.getByText("bob: buy this now").waitFor();

  await blocks(alice, alice.online, "bob");
  const folded = alice.conversation.getByText("Message from someone you blocked");
  await folded.waitFor();
  await lunch.getByText("Message from someone you blocked").waitFor();
  assert.ok(!(await alice.said("buy this now").isVisible()));
  await picture(alice, "folded");
  await folded.click();
  await alice.reads("buy this now");
  bob.send("say", { conversation, text: "and this" });
  await folded.nth(1).waitFor();
  assert.ok(await alice.said("at noon?").isVisible());
});
