// What is gone and comes back.

import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

/** Alice in a browser and bob at a terminal, in one chat. */
async function two(t) {
  const world = await World.start(t);
  const bob = await world.terminal("bob");
  const alice = await user(t, await world.bridge("alice"));
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.ask("bob");
  const request = await bob.event("request_received");
  bob.send({ accept: { from: request.from.address } });
  await alice.isWith("bob");
  await alice.says("before the restart");
  await bob.event("message", ({ text }) => text === "before the restart");
  return { world, alice, bob };
}

test("a bridge that is gone is told, and when it is back the page goes on", async (t) => {
  const { world, alice } = await two(t);
  await world.stopBridge(alice.bridge);
  await alice.banner.filter({ hasText: "Your bridge does not answer" }).waitFor();
  await picture(alice, "bridge-gone");
  await world.startBridge(alice.bridge);
  // Sessions end with the bridge: it keeps no password.
  await alice.name.waitFor();
  await alice.page.getByText("connected").waitFor();
  await alice.signIn("alice");
  await alice.isIn("alice");
  await alice.reads("before the restart");
});

test("a registry that is gone is told, the chat goes on, and all is well when it is back", async (t) => {
  const { world, alice, bob } = await two(t);
  await world.stopRegistry();
  await alice.banner.filter({ hasText: "Cannot reach the registry" }).waitFor();
  await alice.says("without a registry");
  await bob.event("message", ({ text }) => text === "without a registry");
  bob.send({ say: { text: "works" } });
  await alice.reads("works");
  await picture(alice, "registry-gone");
  await world.startRegistry();
  await alice.banner.waitFor({ state: "detached" });
  await alice.people.getByText("connected", { exact: true }).waitFor();
  const carol = await world.terminal("carol");
  await alice.sees("carol");
  carol.send({ search: { name: "alice" } });
  await carol.event("found", ({ address }) => address === alice.bridge.address);
});
