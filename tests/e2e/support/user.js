// What a user of the page does and sees, in the words of the page.

import { PASSWORD } from "./world.js";

export class User {
  constructor(page, bridge) {
    this.page = page;
    this.bridge = bridge;
    this.name = page.getByLabel("Name", { exact: true });
    this.password = page.getByLabel("Password", { exact: true });
    this.again = page.getByLabel("Password again", { exact: true });
    this.submit = page.locator("button[type=submit]");
    this.people = page.getByRole("region", { name: "People", exact: true });
    this.online = this.people.getByRole("region", { name: /^Online/ });
    this.members = this.people.getByRole("region", { name: /^In your chat/ });
    this.conversation = page.getByRole("log", { name: "Conversation" });
    this.composer = page.getByRole("textbox", { name: "Message" });
    this.request = page.getByRole("group", { name: /wants to chat|asks to join|invites you/ });
    this.allow = page.getByRole("button", { name: "Use the open chat, not encrypted" });
    this.status = page.getByRole("combobox", { name: "Status" });
    this.sheet = page.getByRole("dialog");
    this.undo = page.getByRole("button", { name: "Undo", exact: true });
    this.banner = page.locator(".banner");
  }

  async register(name, password = PASSWORD) {
    const kinds = this.page.getByRole("group", { name: "Account" });
    await kinds.getByRole("button", { name: "Create account" }).click();
    await this.fillIn(name, password);
    await this.again.fill(password);
    await this.submit.click();
  }

  /** Signs in by the key of this computer. */
  async signInByKey(name) {
    await this.name.fill(name);
    await this.submit.click();
  }

  async signIn(name, password = PASSWORD) {
    await this.fillIn(name, password);
    await this.submit.click();
  }

  async fillIn(name, password) {
    await this.name.fill(name);
    await this.password.fill(password);
  }

  /** Waits until the page is that of this account. */
  async isIn(name) {
    await this.page.locator(".me").filter({ hasText: name }).waitFor();
  }

  /** Opens the sheet with the account and its keys. */
  async account() {
    await this.settings();
    await this.page.getByRole("button", { name: "Account and keys" }).click();
    await this.sheet.waitFor();
  }

  /** Waits until the status that is shown is this one. */
  async isShownAs(status) {
    await this.page.waitForFunction((wanted) => document.querySelector(".status-choice select")?.value === wanted, status);
  }

  async settings() {
    await this.page.getByRole("button", { name: "Settings" }).click();
  }

  /** Waits until a user is online, and asks them for a chat. */
  async ask(name) {
    await this.sees(name);
    await this.askButton(name).click();
    // Someone with an encrypted p2pchat is asked into the open chat after a question.
    await this.request.or(this.requestOf(name)).or(this.allow).first().waitFor();
    if (await this.allow.isVisible()) await this.allow.click();
  }

  /** Waits until a user is online. */
  async sees(name) {
    await this.people.getByRole("button", { name: "Refresh who is online" }).click();
    await this.askButton(name).waitFor();
  }

  askButton(name) {
    return this.online.getByRole("button", { name: `Ask ${name} for a chat` });
  }

  /** Waits for the chat request of a user. */
  async isAskedBy(name) {
    await this.request.getByRole("heading", { name: new RegExp(`^${name} (wants|asks|invites)`) }).waitFor();
  }

  async answers(word) {
    await this.request.getByRole("button", { name: word, exact: true }).click();
    const gone = async () => (await this.request.count()) === 0 || this.allow.isVisible();
    while (!(await gone())) await this.page.waitForTimeout(20);
    if (await this.allow.isVisible()) await this.allow.click();
    await this.request.waitFor({ state: "detached" });
  }

  /** The line for a request that the user sent, or for what became of one. */
  requestOf(name) {
    return this.page.getByRole("group", { name: new RegExp(`^Request(:| to) ${name}$`) });
  }

  /** Picks something from the menu about a person or a thing, in a part of the page. */
  async picks(part, about, item, answer) {
    await part.getByRole("button", { name: `Actions for ${about}`, exact: true }).click();
    await this.page.getByRole("menuitem", { name: item }).click();
    if (answer) await this.page.getByRole("alertdialog").getByRole("button", { name: answer }).click();
  }

  /** Leaves the chat. */
  async leaves() {
    await this.picks(this.page, "this chat", "Leave…", "Leave");
  }

  /** Waits until a user is in the chat. */
  async isWith(name) {
    await this.members.getByText(name, { exact: true }).waitFor();
  }

  async says(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Waits for the line that says why a text was not sent. */
  async cannotSend(words) {
    await this.page.locator(".composer-note [aria-live]").filter({ hasText: words }).waitFor();
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
