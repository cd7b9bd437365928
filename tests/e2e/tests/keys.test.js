// Keys: whose the registry is, whose an account is, and whose another user is.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { PASSWORD, World } from "../support/world.js";

useBrowser();

const GROUPS = /^[A-Z2-7]{4}(-[A-Z2-7]{2,4}){6}$/;

/** The fingerprint that the page shows of the line to its registry. */
async function fingerprint(someone) {
  await someone.page.getByRole("button", { name: "Registry encrypted" }).first().click();
  const shown = await someone.page.locator("code.fingerprint").textContent();
  await someone.page.keyboard.press("Escape");
  return shown;
}

test("an account is created encrypted, with a display name that others see", async (t) => {
  const world = await World.start(t);
  const bob = await user(t, await world.bridge("bob"));
  await bob.register("bob");
  await bob.isIn("bob");
  const alice = await user(t, await world.bridge("alice"));
  await alice.page.getByText("First contact with this registry").waitFor();
  assert.match(await fingerprint(alice), GROUPS);
  await picture(alice, "first-contact");
  const kinds = alice.page.getByRole("group", { name: "Account" });
  await kinds.getByRole("button", { name: "Create account" }).click();
  await alice.page.getByLabel("Display name (optional)").fill("Alice Liddell");
  await alice.register("alice", "a password that is longer than older programs take");
  await alice.isIn("alice");
  assert.equal(await fingerprint(alice), await fingerprint(bob));
  // Without a refresh: presence is pushed.
  await bob.online.getByText("Alice Liddell").waitFor();
  await alice.account();
  await alice.page.getByLabel("Display name").fill("Alice L.");
  await alice.sheet.getByRole("button", { name: "Save" }).click();
  await bob.online.getByText("Alice L.", { exact: true }).waitFor();
  await picture(bob, "display-names");
});

test("the key signs in: after a restart by itself, after signing out by the name alone", async (t) => {
  const world = await World.start(t);
  const bridge = await world.bridge("alice");
  const alice = await user(t, bridge);
  await alice.register("alice");
  await alice.isIn("alice");
  await world.stopBridge(bridge);
  await alice.banner.filter({ hasText: "p2pchat has stopped" }).waitFor();
  await world.startBridge(bridge);
  await alice.banner.waitFor({ state: "detached" });
  await alice.isIn("alice");
  await alice.settings();
  await alice.page.getByRole("button", { name: "Sign out" }).click();
  await alice.name.waitFor();
  await alice.signInByKey("alice");
  await alice.isIn("alice");
});

test("another computer needs the identity, and a password alone does not do", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.account();
  await alice.sheet.getByText("Export identity").click();
  await alice.page.getByLabel("Password for the file").fill("for the file");
  await alice.sheet.locator("#export-password-again").fill("for the file");
  await alice.sheet.getByRole("button", { name: "Export", exact: true }).click();
  const saved = alice.page.waitForEvent("download");
  await alice.sheet.getByRole("link", { name: "Save the file" }).click();
  const file = await (await saved).path();
  assert.ok(!(await readFile(file, "utf8")).includes("for the file"));

  const other = await user(t, await world.bridge("other"));
  await other.signIn("alice", PASSWORD);
  await other.page.getByText("This name belongs to another key").waitFor();
  await picture(other, "other-person");
  await other.page.getByRole("button", { name: "Import identity" }).click();
  await other.page.getByLabel("Exported file").setInputFiles(file);
  await other.page.getByLabel("Password of the file").fill("not that one");
  const submit = other.sheet.getByRole("button", { name: "Import identity" });
  await submit.click();
  await other.sheet.getByText("This identity cannot be imported").waitFor();
  await other.page.getByLabel("Password of the file").fill("for the file");
  await submit.click();
  await other.sheet.getByText("This computer signs in as you now").waitFor();
  await other.page.keyboard.press("Escape");
  await other.signInByKey("alice");
  await other.isIn("alice");
});

test("a registry with another key is a stop, until its fingerprint was typed", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  await alice.register("alice");
  await alice.isIn("alice");
  const known = await fingerprint(alice);
  await world.replaceRegistry();
  const stop = alice.page.locator(".registry-changed");
  await stop.waitFor();
  await picture(alice, "registry-changed");
  const [pinned, seen] = await stop.locator("code").allTextContents();
  assert.equal(pinned, known);
  assert.notEqual(seen, known);
  const trust = stop.getByRole("button", { name: "Trust the new key" });
  assert.ok(await trust.isDisabled());
  await stop.getByRole("textbox").fill(known);
  await stop.getByText("do not trust it").waitFor();
  await stop.getByRole("textbox").fill(seen);
  await trust.click();
  await stop.waitFor({ state: "detached" });
  assert.equal(await fingerprint(alice), seen);
});

test("a registry of version 1 is not encrypted, and the page says so before and after", async (t) => {
  const world = await World.start(t, { plaintext: true });
  const bob = await world.terminal("bob");
  const alice = await user(t, await world.bridge("alice"));
  await alice.page.getByText("Registry not encrypted").waitFor();
  await alice.page.getByText("Messages and your password are not encrypted").waitFor();
  await picture(alice, "not-encrypted");
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.page.getByText("Registry not encrypted").waitFor();
  await alice.sees("bob");
  await alice.online.getByText("older program").waitFor();
  await picture(alice, "not-encrypted-chat");
  bob.send("logout");
  await bob.event("logged_out");
});

test("a status is seen by others at once", async (t) => {
  const world = await World.start(t);
  const bob = await user(t, await world.bridge("bob"));
  await bob.register("bob");
  await bob.isIn("bob");
  const alice = await user(t, await world.bridge("alice"));
  await alice.register("alice");
  await alice.isIn("alice");
  for (const status of ["Do not disturb", "Away"]) {
    await alice.status.selectOption(status);
    await bob.online.getByText(status, { exact: true }).waitFor();
    await picture(bob, `status-${status.replaceAll(" ", "-")}`);
  }
  await alice.status.selectOption("Available");
  await bob.online.getByText("Away", { exact: true }).waitFor({ state: "detached" });
});

test("two people compare codes: each sees the one that the other reads out", async (t) => {
  const world = await World.start(t);
  const people = {};
  for (const name of ["alice", "bob"]) {
    people[name] = await user(t, await world.bridge(name));
    await people[name].register(name);
    await people[name].isIn(name);
  }
  const { alice, bob } = people;
  const codes = async (someone, of) => {
    await someone.askButton(of).waitFor();
    await someone.picks(someone.online, of, "Compare codes");
    await someone.sheet.getByRole("button", { name: "They match" }).waitFor();
    await someone.page.waitForFunction(() => !document.querySelector("dialog").innerText.includes("One moment"));
    return someone.sheet.locator("code").allTextContents();
  };
  const [own, theirs] = await codes(alice, "bob");
  assert.match(own, /^\d{4}( \d{4}){4}$/);
  assert.deepEqual(await codes(bob, "alice"), [theirs, own]);
  await picture(alice, "compare-codes");
  await alice.sheet.getByRole("button", { name: "They match", exact: true }).click();
  await alice.sheet.waitFor({ state: "detached" });
  await alice.online.getByText("verified", { exact: true }).waitFor();
  await picture(alice, "verified");
  await alice.picks(alice.online, "bob", "Compare codes");
  await alice.sheet.getByRole("button", { name: "No longer trust" }).waitFor();
  // One Escape closes it, and the focus is where it was.
  await alice.page.keyboard.press("Escape");
  await alice.sheet.waitFor({ state: "detached" });
  await alice.page.locator(":focus").and(alice.online.getByRole("button", { name: "Actions for bob" })).waitFor();
  await alice.picks(alice.online, "bob", "Compare codes");
  await alice.sheet.getByRole("button", { name: "No longer trust" }).click();
  await alice.online.getByText("verified", { exact: true }).waitFor({ state: "detached" });
});
