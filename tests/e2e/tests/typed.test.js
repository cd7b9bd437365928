// What is typed is neither lost nor sent by accident, whatever fails.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, tab, useBrowser } from "../support/browser.js";
import { chat } from "../support/chat.js";

useBrowser();

const field = (someone) => someone.composer.inputValue();

/** Waits until the message field holds this. */
async function holds(someone, text) {
  const isIt = (wanted) => document.getElementById("composer")?.value === wanted;
  await someone.page.waitForFunction(isIt, text);
}

/** The message field is in front of the user again, after a bridge that was killed. */
async function returns(world, alice) {
  await world.startBridge(alice.bridge);
  await alice.banner.waitFor({ state: "detached" });
  await alice.isIn("alice");
}

test("a text whose bridge dies before the answer waits, and comes back if it cannot be sent", async (t) => {
  const { world, alice } = await chat(t);
  // It takes the text, as far as the page can tell, and never reads it.
  alice.bridge.process.signal("SIGSTOP");
  await alice.says("are you");
  await holds(alice, "");
  const waits = alice.page.getByText("Sending… Your bridge has not answered yet.");
  await waits.waitFor();
  await alice.composer.pressSequentially("still th");
  await alice.bridge.process.kill();
  await alice.banner.filter({ hasText: "p2pchat has stopped" }).waitFor();
  await waits.waitFor();
  assert.equal(await field(alice), "still th");
  await picture(alice, "typed-waiting");
  await returns(world, alice);
  // The chat ended with the bridge, so that no one is there to get it.
  await holds(alice, "are you\nstill th");
  await alice.cannotSend("No chat yet");
  await picture(alice, "typed-returned");
  assert.equal(await alice.said("are you").count(), 0);
});

test("Enter in the moment in which the bridge dies loses nothing", async (t) => {
  const { world, alice, bob } = await chat(t);
  for (let nth = 0; nth < 5; nth += 1) {
    const text = `message number ${nth}`;
    await alice.composer.fill(text);
    await Promise.all([alice.composer.press("Enter"), alice.bridge.process.kill()]);
    await alice.banner.filter({ hasText: /bridge/ }).waitFor();
    // Either the bridge had it, and its history has it; or it is in the field.
    await returns(world, alice);
    await Promise.any([holds(alice, text), alice.reads(text)]);
    assert.equal(await alice.said(text).count() + ((await field(alice)) === text), 1);
    await alice.composer.fill("");
  }
  assert.ok(bob);
});

test("a tab that is closed before the answer leaves the text to the next one", async (t) => {
  const { world, alice } = await chat(t);
  alice.bridge.process.signal("SIGSTOP");
  await alice.says("sent, or not?");
  await holds(alice, "");
  await alice.composer.pressSequentially("and this");
  const context = alice.page.context();
  await alice.page.close({ runBeforeUnload: true });
  await alice.bridge.process.kill();
  await world.startBridge(alice.bridge);
  const next = await tab(context, alice.bridge);
  await next.isIn("alice");
  assert.equal(await field(next), "sent, or not?\nand this");
});

test("a draft is the same in all tabs, survives loading again, and goes on in the next tab", async (t) => {
  const { alice, bob } = await chat(t);
  await alice.composer.fill("begun in the first tab");
  const context = alice.page.context();
  const second = await tab(context, alice.bridge);
  await second.isIn("alice");
  await holds(second, "begun in the first tab");
  await alice.page.reload();
  await alice.isIn("alice");
  await holds(alice, "begun in the first tab");
  await alice.page.close({ runBeforeUnload: true });
  const third = await tab(context, alice.bridge);
  await third.isIn("alice");
  await holds(third, "begun in the first tab");
  await third.composer.press("Enter");
  await bob.event("message", ({ text }) => text === "begun in the first tab");
  await holds(third, "");
  await holds(second, "");
  // It is left once and not for ever.
  const fourth = await tab(context, alice.bridge);
  await fourth.isIn("alice");
  assert.equal(await field(fourth), "");
});

test("a text that was sent does not come back when the page is loaded again", async (t) => {
  const { alice, bob } = await chat(t);
  await alice.says("only once");
  await alice.page.reload();
  await alice.isIn("alice");
  await bob.event("message", ({ text }) => text === "only once");
  await alice.reads("only once");
  assert.equal(await field(alice), "");
});

test("what looks like a command is neither sent nor run, and the field keeps it", async (t) => {
  const { alice, bob } = await chat(t);
  for (const [typed, note] of [
    [" /block bob", "Remove the space before the command"],
    ["/block bob", "Unknown command"],
    ["/leave\n/block bob", "A command is one line"],
    ["\u3000/leave", "Remove the space before the command"],
  ]) {
    await alice.says(typed);
    await alice.cannotSend(note);
    assert.equal(await field(alice), typed);
  }
  await picture(alice, "typed-command");
  for (const [typed, sent] of [
    ["/home/sam/x is here", "/home/sam/x is here"],
    ["//block bob", "/block bob"],
    ["/me waves", "* waves"],
  ]) {
    await alice.says(typed);
    // The first one that comes: nothing was sent before.
    const message = await bob.event("message");
    assert.equal(message.text, sent);
    await holds(alice, "");
  }
  await alice.isWith("bob");
});

/** Ends a composition by this key, in the order of events of this browser. */
async function compose(locator, key, browser) {
  await locator.focus();
  await locator.evaluate(
    (element, [key, browser]) => {
      const press = (init) =>
        element.dispatchEvent(
          new KeyboardEvent("keydown", { key, keyCode: 229, bubbles: true, cancelable: true, ...init }),
        );
      element.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
      if (browser === "chrome") press({ isComposing: true });
      element.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "日本" }));
      // Safari tells of the end first: only the code of the key is left then.
      if (browser === "safari") press({ isComposing: false });
    },
    [key, browser],
  );
}

test("a key that ends a composition does nothing else", async (t) => {
  const { alice, bob } = await chat(t);
  for (const browser of ["safari", "chrome"]) {
    await alice.composer.fill("日本");
    await compose(alice.composer, "Enter", browser);
    assert.equal(await field(alice), "日本");
  }
  await alice.composer.press("Enter");
  await bob.event("message", ({ text }) => text === "日本");
  await alice.page.getByRole("button", { name: "Search the history" }).click();
  const find = alice.page.getByRole("searchbox", { name: "Words to look for" });
  for (const browser of ["safari", "chrome"]) {
    await compose(find, "Escape", browser);
    await find.waitFor();
  }
  await find.press("Escape");
  await find.waitFor({ state: "detached" });
});

test("no key with Alt answers a request", async (t) => {
  const { world, alice } = await chat(t);
  const carol = await world.terminal("carol");
  carol.send("request", { to: { name: "alice" } });
  await alice.isAskedBy("carol");
  // On a Mac they type `å`, `®` and `∫`, and in Poland `ą`.
  for (const key of ["Alt+a", "Alt+r", "Alt+b"]) await alice.composer.press(key);
  await alice.says("carol still waits");
  await alice.reads("carol still waits");
  await alice.answers("Decline");
  await carol.event("request_answered", ({ refusal }) => refusal === "rejected");
});

test("a file that is dropped does not take the place of the page", async (t) => {
  const { alice } = await chat(t);
  await alice.composer.fill("half a thought");
  const taken = await alice.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["x"], "x.txt"));
    const init = { dataTransfer, bubbles: true, cancelable: true };
    return ["dragover", "drop"].map((kind) => !document.body.dispatchEvent(new DragEvent(kind, init)));
  });
  assert.deepEqual(taken, [true, true]);
  await alice.cannotSend("Files cannot be sent");
  assert.equal(await field(alice), "half a thought");
  const plain = await alice.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData("text/plain", "text");
    return document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  assert.ok(plain, "a text that is dropped is the browser's affair");
});
