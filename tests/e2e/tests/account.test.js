// Creating an account, signing in, signing out.

import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { PASSWORD, World } from "../support/world.js";

useBrowser();

test("a new user creates an account and is signed in", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  await alice.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await alice.page.getByText("connected").waitFor();
  await picture(alice, "sign-in");
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.isTold("signed in as alice");
  await picture(alice, "registered");
});

test("what is wrong with a name or a password stands beside it", async (t) => {
  const world = await World.start(t);
  await world.terminal("taken");
  const alice = await user(t, await world.bridge("alice"));
  await alice.register("");
  const note = (field) => alice.page.locator(`#sign-in-${field}-note`);
  await note("name").filter({ hasText: /\w/ }).waitFor();
  await alice.fillIn("eleven byte", "sixteen letters!");
  await alice.page.getByText("11 of 10 bytes").waitFor();
  await alice.page.getByText("16 of 15 bytes").waitFor();
  await note("name").filter({ hasText: "10 bytes" }).waitFor();
  await note("password").filter({ hasText: "15 bytes" }).waitFor();
  await picture(alice, "field-errors");
  await alice.register("taken");
  await note("name").filter({ hasText: "this name is taken" }).waitFor();
});

test("a wrong password is told, the right one signs in", async (t) => {
  const world = await World.start(t);
  const bridge = await world.bridge("alice");
  const alice = await user(t, bridge);
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.settings();
  await picture(alice, "settings");
  await alice.page.getByRole("button", { name: "Sign out" }).click();

  await alice.signIn("alice", "wrong horse");
  await alice.page.getByText("name or password is wrong").waitFor();
  await picture(alice, "wrong-password");
  await alice.signIn("alice", PASSWORD);
  await alice.isIn("alice");
});

test("signing out leaves nothing of the account in the page, and others see it", async (t) => {
  const world = await World.start(t);
  const bob = await world.terminal("bob");
  const alice = await user(t, await world.bridge("alice"));
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.settings();
  await alice.page.getByRole("button", { name: "Sign out" }).click();
  await alice.name.waitFor();
  await alice.page.locator(".me").waitFor({ state: "detached" });
  bob.send({ search: { name: "alice" } });
  await bob.event("found", ({ address }) => address === null);
});

test("a wrong secret, or none, is explained", async (t) => {
  const world = await World.start(t);
  const bridge = await world.bridge("alice");
  const url = new URL(bridge.url);
  url.hash = "0".repeat(64);
  const wrong = await user(t, { ...bridge, url: url.href });
  await wrong.page.getByRole("heading", { name: "This is not the key of your bridge" }).waitFor();
  await picture(wrong, "wrong-secret");
  url.hash = "";
  const none = await user(t, { ...bridge, url: url.href });
  await none.page.getByRole("heading", { name: "Open the whole address" }).waitFor();
});
