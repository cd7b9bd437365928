// Texts from page to page, and the WebSocket echo that they are held against.

import { User, meet } from "../support/user.js";
import { probe } from "./probe.js";
import { isolated } from "./serve.js";

const pause = (time) => new Promise((over) => setTimeout(over, time));
let chatters;
let isDirect = false;

/** Two pages of two bridges say texts to each other in the open chat. */
export async function open(browser, options) {
  chatters ??= await meeting(browser, options.urls);
  return talk(options);
}

/** The same in an encrypted chat of the two. */
export async function direct(browser, options) {
  chatters ??= await meeting(browser, options.urls);
  if (!isDirect) await begin(...chatters);
  isDirect = true;
  return talk(options);
}

async function begin(ann, bob) {
  await ann.online.locator(".row-main").filter({ hasText: "bob" }).click();
  await ann.page.locator(".chat-head").getByText(/^Encrypted/).waitFor();
  await bob.page.locator(".chat-row").filter({ hasText: "ann" }).click();
  await bob.request.getByRole("button", { name: "Accept", exact: true }).click();
  await bob.composer.waitFor();
  // Until both hold both joins.
  await ann.says("hello");
  await bob.reads("hello");
}

/** In turn: `wire` from one WebSocket to the other, `seen` from the key to the text in the page. */
async function talk({ texts, pause: between }) {
  const [wire, seen] = [[], []];
  for (let number = 0; number < texts; number += 1) {
    await pause(between);
    // In turn, so that a difference between the clocks of two pages cancels out.
    const [from, to] = number % 2 ? chatters : chatters.toReversed();
    const text = `text ${crypto.randomUUID()}`;
    await to.page.evaluate((text) => window.probe.texts.add(text), text);
    const said = await from.page.evaluate((text) => window.probe.say(text), text);
    const heard = await to.page.evaluate((text) => window.probe.hear(text), text);
    wire.push(heard.heard - said.sent);
    seen.push(heard.seen - said.pressed);
  }
  return { wire, seen };
}

async function meeting(browser, urls) {
  const names = ["ann", "bob"];
  const users = await Promise.all(names.map((name, index) => join(browser, name, urls[index])));
  await meet(users[0], users[1], names[0], names[1]);
  return users;
}

async function join(browser, name, url) {
  // To Chromium, a page whose headers were changed on the way is not of this machine.
  const context = await browser.newContext({ permissions: ["local-network-access"] });
  const page = await context.newPage();
  await page.addInitScript(probe, { ready: "#composer" });
  await page.route("**/*", async (route) => {
    if (route.request().resourceType() !== "document") return route.continue();
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), ...isolated } });
  });
  await page.goto(url);
  const user = new User(page);
  await user.register(name);
  await user.isIn(name);
  return user;
}

let echoPage;

/** From a page to a WebSocket that echoes, and back. */
export async function echo(browser, { page, socket, texts, pause: between }) {
  if (!echoPage) {
    echoPage = await browser.newPage();
    await echoPage.goto(page);
  }
  const times = await echoPage.evaluate(measure, { socket, texts, between });
  return { times };
}

/** Within the page. */
async function measure({ socket: url, texts, between }) {
  const socket = new WebSocket(url);
  const next = (type) => new Promise((come) => socket.addEventListener(type, come, { once: true }));
  await next("open");
  const times = [];
  for (let number = 0; number < texts; number += 1) {
    await new Promise((over) => setTimeout(over, between));
    const began = performance.now();
    socket.send(JSON.stringify({ id: 1, command: "say", conversation: "open", text: "x".repeat(60) }));
    await next("message");
    times.push(performance.now() - began);
  }
  socket.close();
  return times;
}
