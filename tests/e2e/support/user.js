// What a user of the page does and sees, in the words of the page.

import { PASSWORD } from "./world.js";

export class User {
  constructor(page, bridge) {
    this.page = page;
    this.bridge = bridge;
    this.name = page.getByLabel("Name", { exact: true });
    this.password = page.getByLabel("Password", { exact: true });
    this.people = page.getByRole("region", { name: "People", exact: true });
    this.online = this.people.getByRole("region", { name: /^Online/ });
    this.members = this.people.getByRole("region", { name: /^In your chat/ });
    this.conversation = page.getByRole("log", { name: "Conversation" });
    this.composer = page.getByRole("textbox", { name: "Message" });
    this.request = page.getByRole("alertdialog");
    this.banner = page.locator(".banner");
  }

  async register(name, password = PASSWORD) {
    await this.page.getByRole("button", { name: "I am new" }).click();
    await this.fillIn(name, password);
    await this.page.getByRole("button", { name: "Make the account" }).click();
  }

  async signIn(name, password = PASSWORD) {
    await this.fillIn(name, password);
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  async fillIn(name, password) {
    await this.name.fill(name);
    await this.password.fill(password);
  }

  /** Waits until the page is that of this account. */
  async isIn(name) {
    await this.page.locator(".me").filter({ hasText: name }).waitFor();
  }

  async settings() {
    await this.page.getByRole("button", { name: "Settings" }).click();
  }

  /** Looks until somebody is online, and asks him for a chat. */
  async ask(name) {
    await this.sees(name);
    await this.askButton(name).click();
  }

  /** Looks until somebody is online. */
  async sees(name) {
    await this.people.getByRole("button", { name: "Refresh who is online" }).click();
    await this.askButton(name).waitFor();
  }

  askButton(name) {
    return this.online.getByRole("button", { name: `Ask ${name} for a chat` });
  }

  /** Waits until somebody asks. */
  async isAskedBy(name) {
    await this.request.getByRole("heading", { name: `${name} asks for a chat` }).waitFor();
  }

  async answers(word) {
    await this.request.getByRole("button", { name: word }).click();
    await this.request.waitFor({ state: "detached" });
  }

  /** Waits until somebody is in the chat. */
  async isWith(name) {
    await this.members.getByText(name, { exact: true }).waitFor();
  }

  async says(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** The texts in the conversation that read like this. */
  said(text) {
    return this.conversation.getByRole("article").filter({ hasText: text });
  }

  /** Waits until there is such a text, once. */
  async reads(text) {
    await this.said(text).waitFor();
  }

  /** Waits for a line that tells what happened. */
  async isTold(words) {
    await this.conversation.locator(".notice-row").filter({ hasText: words }).last().waitFor();
  }
}

/** Two users get into one chat. */
export async function meet(asker, asked, askerName, askedName) {
  await asker.ask(askedName);
  await asked.isAskedBy(askerName);
  await asked.answers("Accept");
  await Promise.all([asker.isWith(askedName), asked.isWith(askerName)]);
}
