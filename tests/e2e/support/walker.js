// A user in any browser that WebDriver BiDi drives: what the main walk needs of the page.

import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

import puppeteer from "puppeteer-core";

import { BRIDGE_IS_DOWN, PATIENCE } from "./process.js";
import { PASSWORD, program } from "./world.js";

const SIZE = { width: 1180, height: 760 };

/** Starts a browser of this kind, which ends with the test. */
export async function launch(test, kind) {
  const browser = await puppeteer.launch({
    browser: kind === "firefox" ? "firefox" : "chrome",
    protocol: "webDriverBiDi",
    executablePath: program(`E2E_${kind.toUpperCase()}`),
    args: kind === "firefox" ? [] : ["--disable-gpu", "--no-first-run", "--no-sandbox"],
    defaultViewport: SIZE,
  });
  test.after(() => browser.close());
  return browser;
}

export class Walker {
  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.wrong = [];
    page.setDefaultTimeout(PATIENCE);
    const note = (text) => BRIDGE_IS_DOWN.test(text) || this.wrong.push(text);
    page.on("pageerror", (error) => note(String(error)));
    page.on("console", (message) => message.type() === "error" && note(message.text()));
  }

  /** The page of a bridge, in a browser. */
  static async open(browser, bridge) {
    const context = await browser.createBrowserContext();
    const walker = new Walker(await context.newPage(), bridge.name);
    await walker.page.goto(bridge.url);
    return walker;
  }

  /** Waits for what a selector means and, if given, has these words. */
  async sees(selector, words = "") {
    await this.page.waitForFunction(
      (selector, words) => [...document.querySelectorAll(selector)].some((one) => one.innerText.includes(words)),
      {},
      selector,
      words,
    );
  }

  /** Waits until nothing is what a selector means. */
  async misses(selector) {
    await this.page.waitForFunction((selector) => document.querySelector(selector) === null, {}, selector);
  }

  /** Waits until something that a selector means has these words and can be clicked, and clicks it. */
  async clicks(selector, words) {
    const find = (selector, words) =>
      [...document.querySelectorAll(selector)].find((one) => one.innerText.includes(words) && !one.disabled) ?? false;
    const found = await this.page.waitForFunction(find, {}, selector, words);
    await found.asElement().click();
  }

  /** Types into the field with this label. */
  async fills(label, text) {
    const find = (label) =>
      [...document.querySelectorAll("label")].find((one) => one.innerText.trim() === label)?.control ?? false;
    const field = await this.page.waitForFunction(find, {}, label);
    await field.asElement().type(text);
  }

  async signsUp() {
    await this.clicks(".tabs button", "Create account");
    await this.fills("Name", this.name);
    await this.fills("Password", PASSWORD);
    await this.fills("Password again", PASSWORD);
    await this.clicks("button[type=submit]", "Create account");
    await this.sees(".me", this.name);
  }

  async says(text) {
    await this.page.waitForSelector("#composer:enabled");
    await this.page.focus("#composer");
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Enter");
  }

  reads(text) {
    return this.sees("[role=log] article", text);
  }

  /** A picture of what is seen, for people. */
  async picture(name) {
    const folder = process.env.E2E_SCREENSHOTS;
    if (!folder) return;
    const path = join(folder, `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
  }
}
