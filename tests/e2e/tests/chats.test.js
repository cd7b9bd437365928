// Encrypted conversations, from page to page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

/** These people, each in a browser, at one registry. */
async function people(t, names, options) {
  const world = await World.start(t);
  const all = { world };
  for (const name of names) {
    const one = await user(t, await world.bridge(name), options);
    await one.register(name);
    await one.isIn(name);
    all[name] = one;
  }
  return all;
}

const row = (someone, title) => someone.people.locator(".chat-row").filter({ has: someone.page.getByText(title, { exact: true }) });

/** A click on a person begins the chat. */
async function begins(someone, name) {
  await someone.people.getByRole("button", { name: "Refresh who is online" }).click();
  await someone.online.locator(".row-main").filter({ hasText: name }).click();
  // Not "Not encrypted", which the open chat says that was shown before.
  await someone.page.locator(".chat-head").getByText(/^Encrypted/).waitFor();
}

/** Opens a request to be in a conversation, and accepts it. */
async function joins(someone, title, word) {
  await row(someone, title).click();
  const answer = someone.request.getByRole("button", { name: word, exact: true });
  await answer.click();
  await someone.composer.waitFor();
}

test("two people write to each other encrypted, and a message waits for one who is away", async (t) => {
  const { world, alice, bob } = await people(t, ["alice", "bob"]);
  await begins(alice, "bob");
  await alice.says("good morning");
  await alice.said("good morning").getByText("Waiting for bob").waitFor();
  await bob.people.getByText("1 request").waitFor();
  await joins(bob, "alice", "Accept");
  await bob.reads("good morning");
  await bob.composer.pressSequentially("hm");
  await alice.page.getByText("bob is typing…").last().waitFor();
  await bob.says("and to you");
  await alice.reads("and to you");
  await alice.said("good morning").getByRole("img", { name: /Delivered|Read/ }).waitFor();
  assert.equal(await alice.page.locator(".chat-head .not-encrypted").count(), 0);
  // The state leads to the codes of the two.
  await alice.page.locator(".chat-head").getByRole("button", { name: "Encrypted" }).click();
  await alice.sheet.getByText("bob’s code").waitFor();
  await alice.page.keyboard.press("Escape");
  await alice.sheet.waitFor({ state: "detached" });

  const picks = async (someone, text, item) => {
    await someone.said(text).getByRole("button", { name: /^Actions for/ }).click();
    await someone.page.getByRole("menuitem", { name: item, exact: true }).click();
  };
  await picks(alice, "good morning", "Info");
  await alice.page.getByRole("alertdialog").getByText(/^bob: (Delivered|Read)$/).waitFor();
  await picture(alice, "message-info");
  await alice.page.getByRole("alertdialog").getByRole("button", { name: "Close" }).click();
  await picks(bob, "good morning", "👍");
  await alice.said("good morning").locator(".reaction").waitFor();
  // What is typed next goes into the message field.
  await bob.page.keyboard.type("and now?");
  assert.equal(await bob.composer.inputValue(), "and now?");
  await bob.composer.fill("");
  await picks(bob, "good morning", "Reply");
  await bob.says("an answer");
  await alice.said("an answer").locator(".quote").getByText("good morning").waitFor();
  // In an empty field, the key up leads to the last message.
  await bob.composer.press("ArrowUp");
  await bob.says("another answer");
  await alice.said("another answer").getByText("(edited)").waitFor();

  await world.stopBridge(bob.bridge);
  await alice.says("are you there?");
  const waits = "Will be delivered when you and bob are both here";
  await alice.said("are you there?").getByText(waits).waitFor();
  await picture(alice, "encrypted-waiting");
  await world.startBridge(bob.bridge);
  await alice.said("are you there?").getByRole("img", { name: /Delivered|Read/ }).waitFor();
});

test("who asked is told of a decline, and the other one can still begin the chat", async (t) => {
  const { alice, bob } = await people(t, ["alice", "bob"]);
  await begins(alice, "bob");
  await alice.says("hello?");
  await row(bob, "alice").click();
  await bob.request.getByRole("button", { name: "Decline", exact: true }).click();
  await alice.page.getByText("bob declined. They get what is written here if they write to you.").waitFor();
  await alice.said("hello?").getByRole("img", { name: "bob declined" }).waitFor();
  await picture(alice, "declined");
  assert.equal(await row(bob, "alice").count(), 1, "it is shown still");
  await begins(bob, "alice");
  await bob.reads("hello?");
  await alice.said("hello?").getByRole("img", { name: /Delivered|Read/ }).waitFor();
  assert.equal(await alice.page.getByText("They get what is written here").count(), 0);
});

test("Enter takes the first who is offered, and the whole name of one who is offline", async (t) => {
  const { alice } = await people(t, ["alice", "bob"]);
  await alice.people.getByRole("button", { name: "New", exact: true }).click();
  const to = alice.page.locator("#new-to");
  await to.fill("bo");
  await alice.page.locator(".picks").getByText("bob").waitFor();
  await to.press("Enter");
  await alice.page.locator(".chips").getByText("bob").waitFor();
  await to.fill("carol");
  await alice.page.locator(".picks").getByText("carol").waitFor();
  await picture(alice, "new-chat");
  await to.press("Enter");
  await alice.page.locator(".chips").getByText("carol").waitFor();
  await alice.page.getByLabel("Name of the group").fill("x".repeat(65));
  await alice.page.getByText(/^This name is too long by 1/).waitFor();
});

test("chats are there when the registry is not", async (t) => {
  const { world, alice, bob } = await people(t, ["alice", "bob"]);
  await begins(alice, "bob");
  await bob.people.getByText("1 request").waitFor();
  await joins(bob, "alice", "Accept");
  await bob.says("see you tomorrow");
  await alice.reads("see you tomorrow");
  await world.stopBridge(alice.bridge);
  await world.stopRegistry();
  await world.startBridge(alice.bridge);
  await alice.page.reload();
  await alice.isIn("alice");
  await alice.banner.filter({ hasText: "Cannot reach the registry" }).waitFor();
  await alice.reads("see you tomorrow");
  await picture(alice, "without-registry");
  await world.startRegistry();
  await alice.banner.waitFor({ state: "detached" });
  await alice.says("here I am");
  await bob.reads("here I am");
});

test("a group is made of those who are chosen, and drafts stay with their conversations", async (t) => {
  const { alice, bob, carol } = await people(t, ["alice", "bob", "carol"]);
  await begins(alice, "bob");
  await alice.composer.fill("for bob alone");
  await alice.people.getByRole("button", { name: "New", exact: true }).click();
  for (const name of ["bob", "carol"]) await alice.sheet.getByRole("checkbox", { name }).check();
  await alice.page.getByLabel("Name of the group").fill("Lunch");
  await alice.sheet.getByRole("button", { name: "Create group" }).click();
  await row(alice, "Lunch").and(alice.page.locator("[aria-current]")).waitFor();
  assert.equal(await alice.composer.inputValue(), "");
  await alice.says("who is hungry?");
  for (const one of [bob, carol]) await joins(one, "Lunch", "Join");
  await carol.says("I am");
  await alice.reads("I am");
  await row(alice, "bob").click();
  await alice.page.waitForFunction(() => document.querySelector("#composer")?.value === "for bob alone");
  await alice.page.goBack();
  await alice.reads("who is hungry?");

  // By keys alone.
  const { keyboard } = alice.page;
  const shows = (title) => row(alice, title).and(alice.page.locator("[aria-current]")).waitFor();
  await keyboard.press("Alt+ArrowDown");
  await shows("bob");
  await keyboard.press("Control+k");
  await keyboard.type("LUN");
  await row(alice, "bob").waitFor({ state: "detached" });
  await picture(alice, "search-for-a-chat");
  await keyboard.press("Enter");
  await shows("Lunch");
  await row(alice, "bob").waitFor();
  await keyboard.press("Control+f");
  await alice.page.getByRole("searchbox", { name: "Words to look for" }).waitFor();
  const focused = (id) => alice.page.waitForFunction((id) => document.activeElement?.id === id, id);
  await keyboard.press("F6");
  await focused("composer");
  await keyboard.press("F6");
  await focused("people-search");
  await keyboard.press("F6");
  await focused("composer");
  await keyboard.press("Control+/");
  await alice.page.getByRole("dialog", { name: "Keys" }).getByText("Alt Shift ↑ ↓").waitFor();
  await picture(alice, "keys");
  await keyboard.press("Escape");
  await focused("composer");
});

test("a search goes through all chats while one types, and leads to the message", async (t) => {
  const { alice } = await people(t, ["alice", "bob", "carol"]);
  await begins(alice, "bob");
  await alice.says("the coffee is ready");
  // It is far above the last one, which is of alice too.
  for (const number of [1, 2, 3]) await alice.says(`${"line\n".repeat(20)}${number}`);
  await alice.says("a block:\n```\nfn main() {}\n```");
  await alice.said("a block").getByRole("button", { name: "Copy code" }).focus();
  await picture(alice, "code-block");
  await alice.page.keyboard.press("Enter");
  await alice.said("a block").getByRole("button", { name: "Copied" }).waitFor();
  await alice.said("a block").getByRole("button", { name: "Copy code" }).waitFor();
  await alice.people.getByRole("button", { name: "New", exact: true }).click();
  for (const name of ["bob", "carol"]) await alice.sheet.getByRole("checkbox", { name }).check();
  await alice.page.getByLabel("Name of the group").fill("Lunch");
  await alice.sheet.getByRole("button", { name: "Create group" }).click();
  await row(alice, "Lunch").and(alice.page.locator("[aria-current]")).waitFor();
  await alice.says("Coffee at noon");
  const { keyboard } = alice.page;
  await keyboard.press("Control+f");
  const words = alice.page.getByRole("searchbox", { name: "Words to look for" });
  await words.pressSequentially("cof");
  await alice.page.getByText("1 message with “cof”").waitFor();
  await alice.page.getByRole("button", { name: "All chats" }).click();
  await alice.page.getByText("2 messages with “cof”").waitFor();
  assert.deepEqual(await alice.page.locator(".finding mark").allTextContents(), ["Cof", "cof"]);
  await words.press("ArrowDown");
  await keyboard.press("ArrowDown");
  const focused = await alice.page.evaluate(() => document.activeElement.textContent);
  assert.match(focused, /bob \/ You/);
  await picture(alice, "search-all-chats");
  const lit = alice.page.locator(".message.lit").getByText("the coffee is ready");
  // For a moment.
  await Promise.all([lit.waitFor(), keyboard.press("Enter")]);
  await lit.waitFor({ state: "detached" });
  await row(alice, "bob").and(alice.page.locator("[aria-current]")).waitFor();
  // The next chat takes the place of one with a person who is blocked.
  await alice.picks(alice.people.locator(".chats"), "bob", "Block…", "Block");
  await row(alice, "Lunch").and(alice.page.locator("[aria-current]")).waitFor();
  await alice.reads("Coffee at noon");
});

test("a chat with more that is unread than is loaded opens at the first of it", async (t) => {
  const [UNREAD, SEEN] = [250, 3];
  const { world, bob } = await people(t, ["bob"]);
  const alice = await world.terminal("alice");
  alice.send("chat", { with: "bob" });
  const { conversation } = await alice.event("opened");
  await joins(bob, "alice", "Accept");
  const say = (text) => alice.send("say", { conversation, text });
  for (let nth = 1; nth <= SEEN; nth += 1) say(`seen ${nth}.`);
  await bob.reads(`seen ${SEEN}.`);
  await alice.event("read_by");
  alice.send("group", { name: "Other", members: ["bob"] });
  await joins(bob, "Other", "Join");
  for (let nth = 1; nth <= UNREAD; nth += 1) say(`unread ${nth}.`);
  const badge = row(bob, "alice").locator(".badge");
  const isUnread = () => badge.filter({ hasText: `${UNREAD} new` }).waitFor();
  await isUnread();

  await bob.page.reload();
  await row(bob, "Other").and(bob.page.locator("[aria-current]")).waitFor();
  await isUnread();
  await row(bob, "alice").click();
  const first = bob.conversation.getByText("unread 1.", { exact: true });
  await bob.conversation.getByText("New messages", { exact: true }).waitFor();
  await first.waitFor();
  await bob.conversation.getByText(`seen ${SEEN}.`, { exact: true }).waitFor();
  await picture(bob, "many-unread");
  await isUnread();
  const box = await first.boundingBox();
  const list = await bob.conversation.boundingBox();
  assert.ok(box.y > list.y && box.y < list.y + list.height / 2, "the first is in sight");

  await bob.page.getByRole("button", { name: `${UNREAD} new messages` }).click();
  await bob.reads(`unread ${UNREAD}.`);
  await badge.waitFor({ state: "detached" });
});

test("on a small screen Back leads from the chat to the list", async (t) => {
  const options = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
  const { alice } = await people(t, ["bob", "alice"], options);
  await begins(alice, "bob");
  await alice.composer.waitFor();
  await alice.says("from a small screen");
  await alice.reads("from a small screen");
  await picture(alice, "encrypted-narrow");
  // The details and the search are pages of their own. What was found leads out of the search.
  await alice.page.getByRole("button", { name: "Search the history" }).tap();
  await alice.page.getByRole("searchbox", { name: "Words to look for" }).fill("small");
  await alice.page.locator(".finding").tap();
  await alice.page.locator(".finder").waitFor({ state: "detached" });
  // Back leads to what else was found.
  await alice.page.goBack();
  await alice.page.locator(".finding mark").getByText("small").waitFor();
  await alice.page.goBack();
  await alice.page.locator(".finder").waitFor({ state: "detached" });
  await alice.page.getByRole("button", { name: "Chats" }).tap();
  await row(alice, "bob").tap();
  for (const name of ["Details", "Search the history"]) {
    const side = alice.page.locator(".finder");
    const button = alice.page.getByRole("button", { name, exact: true });
    for (const leave of [() => alice.page.goBack(), () => side.getByRole("button", { name: /^Close the/ }).tap()]) {
      await button.tap();
      await side.waitFor();
      await leave();
      await side.waitFor({ state: "detached" });
      await alice.said("from a small screen").waitFor();
    }
  }
  const wide = await alice.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 360, `the page is ${wide} wide`);
  await alice.composer.fill("one line\nanother\nthe third");
  const height = async () => (await alice.composer.boundingBox()).height;
  const whole = await height();
  await alice.page.goBack();
  await row(alice, "bob").waitFor();
  // The field is laid out while it is not shown.
  await alice.page.reload();
  await row(alice, "bob").tap();
  await alice.composer.waitFor();
  assert.equal(await height(), whole);
  await alice.page.getByRole("button", { name: "Chats" }).tap();
  await row(alice, "bob").waitFor();
  await picture(alice, "encrypted-list");
});
