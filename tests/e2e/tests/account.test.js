// Creating an account, signing in, signing out.

import assert from "node:assert/strict";
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
  await note("name").filter({ hasText: "too long by 1" }).waitFor();
  await note("password").filter({ hasText: "Older programs take only 15 letters" }).waitFor();
  await alice.password.fill("x".repeat(257));
  await note("password").filter({ hasText: "too long by 1" }).waitFor();
  await picture(alice, "field-errors");
  await alice.register("taken");
  await note("name").filter({ hasText: "this name is taken" }).waitFor();
});

test("a new password is typed twice, and a weak one gets a hint but is taken", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  const kinds = alice.page.getByRole("group", { name: "Account" });
  await kinds.getByRole("button", { name: "Create account" }).click();
  const note = (field) => alice.page.locator(`#sign-in-${field}-note`);
  await alice.fillIn("alice", "alice");
  await note("password").filter({ hasText: "your name" }).waitFor();
  await alice.password.fill("19541123");
  await note("password").filter({ hasText: "only digits" }).waitFor();
  await alice.password.fill("x");
  await note("password").filter({ hasText: "Easy to guess" }).waitFor();
  assert.equal(await alice.password.getAttribute("autocomplete"), "new-password");
  assert.equal(await alice.again.getAttribute("autocomplete"), "new-password");
  assert.equal(await alice.name.getAttribute("autocomplete"), "username");
  await alice.again.fill("y");
  await alice.submit.click();
  await note("again").filter({ hasText: "differ" }).waitFor();
  await picture(alice, "weak-password");
  await alice.page.getByRole("button", { name: "Show the password" }).click();
  for (const field of [alice.password, alice.again]) assert.equal(await field.getAttribute("type"), "text");
  await alice.again.fill("x");
  await alice.submit.click();
  await alice.isIn("alice");
});

test("a wrong password is told, the right one signs in to an account of an older program", async (t) => {
  const world = await World.start(t, { plaintext: true });
  const older = await world.terminal("alice");
  older.send("logout");
  await older.event("logged_out");
  world.plaintext = false;
  const alice = await user(t, await world.bridge("newer"));
  await alice.signIn("alice", "wrong horse");
  await alice.page.getByText("Name or password is wrong").waitFor();
  await picture(alice, "wrong-password");
  await alice.signIn("alice", PASSWORD);
  await alice.isIn("alice");
  await alice.settings();
  await picture(alice, "settings");
  // From now on the key signs in.
  await alice.page.getByRole("button", { name: "Sign out" }).click();
  await alice.signInByKey("alice");
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
  await bob.event("presence", ({ gone }) => gone.includes("alice"));
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
