// Who is online, and asking for a chat.

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

test("who is online is listed with the address, and found by typing", async (t) => {
  const { world, alice, bob } = await two(t);
  await world.terminal("carol");
  await alice.sees("bob");
  await alice.sees("carol");
  await alice.online.getByText(bob.bridge.address).waitFor();
  const box = alice.page.getByRole("searchbox", { name: "Find people by name or address" });
  await box.fill("car");
  await alice.askButton("bob").waitFor({ state: "detached" });
  await alice.askButton("carol").waitFor();
  await picture(alice, "online");
  await box.fill("nobody");
  await box.press("Enter");
  await alice.people.getByText("nobody is not online").waitFor();
});

test("a request that is accepted brings both into a chat", async (t) => {
  const { alice, bob } = await two(t);
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await bob.request.getByText(alice.bridge.address).waitFor();
  await bob.request.getByText(/^\d+\ss left$/).waitFor();
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
  await picture(alice, "rejected");
});

test("a request that nobody answers in time counts as rejected", async (t) => {
  const { alice, bob } = await two(t, { bob: ["--request-limit", "3"] });
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await bob.isTold("you missed a request from alice");
  await bob.request.waitFor({ state: "detached" });
  await alice.isTold("bob declined");
  await alice.members.waitFor({ state: "detached" });
  await picture(bob, "timed-out");
});

test("a requester who waited long enough sees that there is no answer", async (t) => {
  const { alice, bob } = await two(t, { alice: ["--request-limit", "3"] });
  await alice.ask("bob");
  await bob.isAskedBy("alice");
  await alice.isTold("bob did not answer");
  await bob.request.waitFor({ state: "detached" });
  await alice.members.waitFor({ state: "detached" });
  await alice.askButton("bob").waitFor();
});

test("a busy user is not asked", async (t) => {
  const { alice, bob } = await two(t);
  await bob.page.getByRole("switch", { name: "Busy" }).click();
  await bob.page.getByRole("switch", { name: "Busy", checked: true }).waitFor();
  await alice.ask("bob");
  await alice.isTold("bob is not taking requests now");
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
