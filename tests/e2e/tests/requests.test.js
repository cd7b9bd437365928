// Who is online, and asking for a chat.

import assert from "node:assert/strict";
import { test } from "node:test";

import { meet } from "../support/user.js";
import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

/** Two users, signed in; the options of their bridges are by name. */
async function two(t, options = {}) {
  const world = await World.start(t);
  const [alice, bob] = await Promise.all(
    ["alice", "bob"].map(async (name) => {
      const someone = await user(t, await world.bridge(name, ...(options[name] ?? [])));
      await someone.register(name);
      await someone.isIn(name);
      return someone;
    }),
  );
  // Until the registry's list is there, a name stands with its address beside it.
  await alice.sees("bob");
  await bob.sees("alice");
  return { world, alice, bob };
}

test("who is online is listed, and found by typing", async (t) => {
  const { world, alice, bob } = await two(t);
  await world.terminal("carol");
  await alice.sees("bob");
  await alice.sees("carol");
  const box = alice.page.getByRole("searchbox", { name: "Find chats and people by name or address" });
  await box.fill("car");
  await alice.askButton("bob").waitFor({ state: "detached" });
  await alice.askButton("carol").waitFor();
  await picture(alice, "online");
  await box.fill("nobody");
  await box.press("Enter");
  const answer = alice.people.getByText("nobody is not online.");
  await answer.waitFor();
  await picture(alice, "not-online");
  // The answer says nothing of another name.
  await box.fill("nob");
  await answer.waitFor({ state: "detached" });
  // Who is in the list already does not stand there a second time.
  await box.fill("carol");
  await box.press("Enter");
  await alice.page.locator(".turning").waitFor({ state: "detached" });
  await alice.isTold("carol is online");
  assert.equal(await alice.askButton("carol").count(), 1);
  // Who comes after the answer makes it untrue.
  await box.fill("dave");
  await box.press("Enter");
  await alice.people.getByText("dave is not online.").waitFor();
  await world.terminal("dave");
  await alice.sees("dave");
  await alice.people.getByText("dave is not online.").waitFor({ state: "detached" });
});

test("a request that is accepted brings both into a chat", async (t) => {
  const { alice, bob } = await two(t);
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  // An address says nothing to a user, where the registry confirms the name.
  assert.equal(await bob.request.getByText(alice.bridge.address).count(), 0);
  await bob.request.getByText(/^\d+\ss$/).waitFor();
  await alice.requestOf("bob").getByText("Waiting for bob to accept").waitFor();
  await picture(bob, "asked");
  await picture(alice, "asking");
  await bob.answers("Accept");
  await alice.isTold("bob accepted and joined the chat");
  await bob.isWith("alice");
  await alice.says("Hello Bob!");
  await bob.reads("Hello Bob!");
  await alice.page.getByRole("img", { name: "delivered: bob" }).waitFor();
});

test("a request that is rejected brings nobody into a chat", async (t) => {
  const { alice, bob } = await two(t);
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await bob.answers("Decline");
  await alice.isTold("bob declined");
  await alice.members.waitFor({ state: "detached" });
  await alice.askButton("bob").waitFor();
  await alice.requestOf("bob").getByText("bob declined.").waitFor();
  await picture(alice, "rejected");
  await alice.requestOf("bob").getByRole("button", { name: "Dismiss" }).click();
  await alice.requestOf("bob").waitFor({ state: "detached" });
});

test("a request that nobody answers in time is told as missed, with a way to ask back", async (t) => {
  const { alice, bob } = await two(t, { bob: ["--request-limit", "3"] });
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await bob.isTold("you missed a request from alice");
  await bob.request.waitFor({ state: "detached" });
  await alice.members.waitFor({ state: "detached" });
  const missed = bob.requestOf("alice");
  await missed.getByText("You missed a request from alice.").waitFor();
  await picture(bob, "missed");
  await missed.getByRole("button", { name: "Ask back" }).click();
  await alice.isAskedBy("bob");
  await alice.answers("Accept");
  await bob.isWith("alice");
  await missed.waitFor({ state: "detached" });
});

test("a requester who waited long enough sees that there is no answer", async (t) => {
  const { alice, bob } = await two(t, { alice: ["--request-limit", "3"] });
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await alice.isTold("bob did not answer");
  await bob.request.waitFor({ state: "detached" });
  await alice.members.waitFor({ state: "detached" });
  await alice.askButton("bob").waitFor();
  await alice.requestOf("bob").getByText("bob did not answer").waitFor();
  await alice.requestOf("bob").getByRole("button", { name: "Ask again" }).click();
  await bob.isAskedBy("alice");
});

test("a request is cancelled by who sent it", async (t) => {
  const { alice, bob } = await two(t);
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await alice.requestOf("bob").getByRole("button", { name: "Cancel request" }).click();
  await bob.request.waitFor({ state: "detached" });
  await alice.requestOf("bob").waitFor({ state: "detached" });
  await bob.isTold("alice withdrew the request");
  await alice.askButton("bob").waitFor();
});

test("nothing that a user types or clicks by accident answers a request", async (t) => {
  const { alice, bob } = await two(t);
  await bob.composer.fill("");
  await bob.composer.pressSequentially("half a th");
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  for (const key of ["Alt+a", "Alt+r", "Alt+b", "Control+y", "Control+b", "a", "y", "Escape", "Enter", "ą", "å"]) {
    await (key.length > 1 ? bob.page.keyboard.press(key) : bob.page.keyboard.insertText(key));
  }
  assert.equal(await bob.page.evaluate(() => document.activeElement.id), "composer");
  assert.match(await bob.composer.inputValue(), /^half a th.*ayąå$/);
  await bob.request.getByRole("button", { name: "Accept" }).waitFor();
  // Nothing is dimmed, and all else can be used.
  const shadow = await bob.request.evaluate((card) => getComputedStyle(card).boxShadow);
  assert.equal(shadow, "none");
  await bob.status.selectOption("Do not disturb");
  await bob.page.locator(".status-choice.busy").waitFor();
  await alice.requestOf("bob").getByText("Waiting for bob").waitFor();
});

test("a click that was meant for what was there before does not answer a request", async (t) => {
  const { alice, bob } = await two(t);
  await bob.page.evaluate(() => {
    window.tooSoon = [];
    new MutationObserver(() => {
      for (const button of document.querySelectorAll(".incoming button")) {
        if (!button.disabled && !window.seenAt) window.tooSoon.push("enabled at once");
        button.click();
      }
      if (document.querySelector(".incoming")) window.seenAt ??= performance.now();
    }).observe(document.body, { childList: true, subtree: true });
  });
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  assert.deepEqual(await bob.page.evaluate(() => window.tooSoon), []);
  await alice.requestOf("bob").getByText("Waiting for bob").waitFor();
});

test("a request to one who has a chat says who will meet, and can be met alone", async (t) => {
  const { world, alice, bob } = await two(t);
  const [carol, uma] = [await world.terminal("carol"), await world.terminal("uma")];
  await meet(alice, bob, "alice", "bob");
  await alice.sees("carol");
  for (const who of [carol, uma]) {
    who.send("request", { to: { name: "alice" } });
    await alice.isAskedBy(who === carol ? "carol" : "uma");
    if (who === carol) await alice.answers("Let carol in");
  }
  await alice.request.getByText(/(bob and carol|carol and bob) will see uma, and uma will see them\./).waitFor();
  await picture(alice, "asks-to-join");
  await alice.answers("Leave the others and chat with uma");
  await uma.event("member_joined", ({ member }) => member.name === "alice");
  await alice.isWith("uma");
  assert.equal(await alice.members.getByText("bob", { exact: true }).count(), 0);
  await alice.says("only for uma");
  await uma.event("message", ({ text }) => text === "only for uma");
  assert.equal(await bob.said("only for uma").count(), 0);
});

test("a busy user is not asked", async (t) => {
  const { alice, bob } = await two(t);
  await bob.status.selectOption("Do not disturb");
  await bob.page.locator(".status-choice.busy").waitFor();
  await alice.ask("bob");
  await alice.isTold("bob is not taking requests now");
  await alice.requestOf("bob").getByText("bob is not taking requests now.").waitFor();
  // Bob learns of it, and can ask back.
  await bob.requestOf("alice").getByText("You missed a request from alice.").waitFor();
});

test("what others say is text and nothing else", async (t) => {
  const { alice, bob } = await two(t);
  await meet(alice, bob, "alice", "bob");
  const text = `<img src=x onerror="document.title='owned'"><b>x</b> https://example.org/?a=1&b=2`;
  await alice.says(text);
  await bob.reads(`<img src=x onerror=`);
  await bob.said("<b>x</b>").waitFor();
  const link = bob.conversation.getByRole("link", { name: "https://example.org/?a=1&b=2" });
  await link.and(bob.page.locator('[rel~="noopener"]')).waitFor();
});
