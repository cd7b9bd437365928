// Browsers that lack something, and what moves the page's own elements: it goes on all the same.

import assert from "node:assert/strict";
import { test } from "node:test";

import { picture, useBrowser, user } from "../support/browser.js";
import { chat } from "../support/chat.js";
import { meet } from "../support/user.js";
import { World } from "../support/world.js";

useBrowser();

/** Both sides of the chat hear each other. */
async function works({ alice, bob }, words) {
  bob.send("say", { text: `${words} from bob` });
  await alice.reads(`${words} from bob`);
  await alice.says(`${words} from alice`);
  await bob.event("message", ({ text }) => text === `${words} from alice`);
}

/** As translators of browsers do: each text goes into elements of theirs. */
function translate() {
  const walker = document.createTreeWalker(document.querySelector("#page"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    text.parentNode.replaceChild(outer, text);
    inner.textContent = `«${text.nodeValue}»`;
    outer.append(inner);
  }
}

test("the page asks not to be translated", async (t) => {
  const world = await World.start(t);
  const alice = await user(t, await world.bridge("alice"));
  const said = await alice.page.evaluate(() => [
    document.documentElement.translate,
    document.querySelector('meta[name="google"]').content,
  ]);
  assert.deepEqual(said, [false, "notranslate"]);
});

const broken = (alice) => alice.page.getByRole("alert").filter({ hasText: "This page does not work any more" });

/** Loads the page again by its own button. */
async function loadAgain(alice) {
  const loaded = alice.page.waitForEvent("load");
  await broken(alice).getByRole("button", { name: "Load again" }).click();
  await loaded;
  await alice.isIn("alice");
  assert.equal(await broken(alice).count(), 0);
}

test("a page that is translated all the same says that it may be wrong", async (t) => {
  const world = await chat(t);
  const { alice, bob } = world;
  await alice.composer.fill("half a thou");
  await alice.page.evaluate(translate);
  await broken(alice).waitFor();
  await picture(alice, "translated");
  bob.send("say", { text: "hello" });
  await alice.reads("hello");
  await alice.settings();
  await alice.page.keyboard.press("Escape");
  await loadAgain(alice);
  assert.equal(await alice.composer.inputValue(), "half a thou");
  await works(world, "after it");
});

test("a page that breaks loads itself again, and if that does not help, says so", async (t) => {
  const { world, alice, bob } = await chat(t, { expected: /./ });
  const names = ["carol", "dave", "erin"];
  for (const name of names) await world.terminal(name);
  for (const name of names) await alice.sees(name);
  bob.send("leave");
  await alice.leaves();
  await alice.members.waitFor({ state: "detached" });
  bob.send("request", { to: { name: "alice" } });
  await alice.isAskedBy("bob");
  await alice.composer.fill("half a thou");
  /** What the page will put something before is no longer where it was. */
  const breaks = async (name) => {
    await alice.page.evaluate(() => {
      for (const card of document.querySelectorAll(".incoming")) {
        const wrapper = document.createElement("div");
        card.replaceWith(wrapper);
        wrapper.append(card);
      }
    });
    await alice.askButton(name).click();
  };
  const loaded = alice.page.waitForEvent("load");
  await breaks("carol");
  await loaded;
  await alice.isIn("alice");
  assert.equal(await alice.composer.inputValue(), "half a thou");
  await alice.isAskedBy("bob");
  await alice.requestOf("carol").waitFor();

  // It breaks again at once: no loop, but words.
  await alice.page.evaluate(() => {
    for (const row of document.querySelectorAll(".request-row")) row.remove();
  });
  await breaks("dave");
  await broken(alice).waitFor();
  await picture(alice, "broken");
  await loadAgain(alice);
  assert.equal(await alice.composer.inputValue(), "half a thou");
});

const LACKING = {
  "notifications and sound": () => {
    for (const name of ["Notification", "AudioContext", "webkitAudioContext"]) delete window[name];
  },
  "a size observer": () => delete window.ResizeObserver,
  "a clipboard": () => Object.defineProperty(navigator, "clipboard", { value: undefined }),
  "tables of characters": () => delete Intl.Segmenter,
  popovers: () => {
    for (const name of ["showPopover", "hidePopover", "togglePopover", "popover"]) delete HTMLElement.prototype[name];
  },
  storage: () => {
    for (const name of ["localStorage", "sessionStorage"]) {
      const get = () => {
        throw new DOMException("denied", "SecurityError");
      };
      Object.defineProperty(window, name, { get });
    }
  },
  "room in its storage": () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  },
};

for (const [what, before] of Object.entries(LACKING)) {
  test(`a browser without ${what} has a page that works`, async (t) => {
    const world = await chat(t, { before });
    const { alice } = world;
    await alice.settings();
    await alice.page.getByRole("switch", { name: "Sound" }).click();
    await alice.page.getByRole("switch", { name: "Notifications" }).click();
    await alice.page.getByRole("button", { name: "Dark" }).click();
    await alice.page.keyboard.press("Escape");
    // Out of sight, where messages are told by notifications and sound.
    await alice.page.evaluate(() => Object.defineProperty(document, "hidden", { value: true }));
    await works(world, "first");
    await works(world, "second");
    await alice.composer.fill("ü ".repeat(60));
    await alice.page.getByText("arrives as 2 messages").waitFor();
    await alice.leaves();
    await alice.isTold("you left the chat");
    await alice.undo.waitFor();
  });
}

/** Counts the audio contexts that a page makes. */
function countContexts() {
  window.contexts = 0;
  window.AudioContext = class extends window.AudioContext {
    constructor() {
      super();
      window.contexts += 1;
    }
  };
  try {
    localStorage["p2pchat.sound"] = "on";
  } catch {
    // The empty page before has no storage.
  }
}

test("all sounds come from one audio context", async (t) => {
  const { alice, bob } = await chat(t, { before: countContexts });
  await alice.page.evaluate(() => Object.defineProperty(document, "hidden", { value: true }));
  for (let number = 1; number <= 12; number += 1) bob.send("say", { text: `sound ${number}.` });
  await alice.reads("sound 12.");
  assert.equal(await alice.page.evaluate(() => window.contexts), 1);
});

test("the focus returns to what opened a menu, the settings or the search", async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await user(t, await world.bridge("alice")), await user(t, await world.bridge("bob"))];
  for (const [who, name] of [[alice, "alice"], [bob, "bob"]]) {
    await who.register(name);
    await who.isIn(name);
  }
  await meet(alice, bob, "alice", "bob");
  const focused = alice.page.locator(":focus");
  const { keyboard } = alice.page;
  for (const name of ["Settings", "Search the history", "Emoji", "Actions for this chat"]) {
    const opener = alice.page.getByRole("button", { name, exact: true });
    await opener.click();
    await opener.and(alice.page.locator('[aria-expanded="true"]')).waitFor();
    await keyboard.press(name.startsWith("Actions") ? "ArrowDown" : "Tab");
    await keyboard.press("Escape");
    await focused.and(opener).waitFor();
    assert.equal(await opener.getAttribute("aria-expanded"), "false", name);
  }
  // One Escape closes one thing.
  const search = alice.page.getByRole("button", { name: "Search the history" });
  await search.click();
  await alice.settings();
  await keyboard.press("Escape");
  await alice.page.getByRole("button", { name: "Sign out" }).waitFor({ state: "detached" });
  assert.equal(await search.getAttribute("aria-expanded"), "true");
  await keyboard.press("Escape");
  await alice.page.getByRole("searchbox", { name: "Words to look for" }).waitFor({ state: "detached" });
});
