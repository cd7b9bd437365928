// Two users in one chat, as most tests begin.

import { user } from "./browser.js";
import { World } from "./world.js";

/**
 * Alice in a browser with these options and bob at a terminal: she has asked for a chat. With
 * `plaintext` they speak version 1 to the registry.
 */
export async function chat(test, { plaintext = false, ...options } = {}) {
  const world = await World.start(test, { plaintext });
  const bob = await world.terminal("bob");
  const alice = await user(test, await world.bridge("alice"), options);
  await alice.register("alice");
  await alice.isIn("alice");
  await alice.ask("bob");
  await bob.accepts("alice");
  await alice.isWith("bob");
  return { world, alice, bob };
}
