// The first minutes: a bridge without a registry.

import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { World } from "../support/world.js";

useBrowser();

test("without a registry the page asks for one, and the bridge goes to it at its next start", async (t) => {
  const world = await World.start(t);
  const bridge = await world.bridgeWithoutRegistry("alice");
  const alice = await user(t, bridge);
  await alice.page.getByText("p2pchat needs a registry").waitFor();
  await alice.page.getByRole("button", { name: "Start a registry on this computer" }).waitFor();
  await picture(alice, "choice");
  const registry = alice.page.getByLabel("Registry", { exact: true });
  const connect = alice.page.getByRole("button", { name: "Connect" });
  await registry.fill("no registry");
  await connect.click();
  await alice.page.getByText("This cannot be the registry").waitFor();
  await registry.fill(`Join me on p2pchat: p2pchat --registry ${world.registryAddress}:${world.tcp}`);
  await connect.click();
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.page.getByText("No chats yet.").waitFor();
  await alice.page.getByText(`p2pchat --registry ${world.registryAddress}:${world.tcp}#`).waitFor();
  await picture(alice, "invitation");
  await world.stopBridge(bridge);
  await world.startBridge(bridge);
  await alice.isIn("alice");
});
