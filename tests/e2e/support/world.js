// A registry, bridges and terminal peers of one test, on addresses that no other test has.

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Process } from "./process.js";

/** Everybody's password. */
export const PASSWORD = "correct horse";

let lastAddress = 0;

/** A loopback address of its own: the first parts by the process, the last counted up. */
function freshAddress() {
  lastAddress += 1;
  return `127.${16 + (process.pid % 97)}.${Math.floor(process.pid / 97) % 251}.${lastAddress}`;
}

/** A program that the environment names. */
export function program(name) {
  const path = process.env[name];
  if (!path) throw new Error(`${name} is not set: run the tests by \`cargo xtask test --only e2e\``);
  return path;
}

/** The commands that concern a conversation. */
const OF_CONVERSATION = ["request", "cancel", "accept", "reject", "say", "leave", "read", "draft", "history"];

/** A program that is driven by JSON lines. */
class Terminal {
  constructor(process, address) {
    this.process = process;
    this.address = address;
  }

  /** Sends a command with these fields, in the open chat if it concerns one. */
  send(command, fields = {}) {
    if (command === "request" && fields.to.name) this.allow(fields.to.name);
    const conversation = OF_CONVERSATION.includes(command) ? { conversation: "open" } : {};
    this.process.write(JSON.stringify({ command, ...conversation, ...fields }));
  }

  /** The next event of this name of which `wanted` is true. */
  event(name, wanted = () => true) {
    return this.process.line(`event ${name}`, (line) => {
      const event = JSON.parse(line);
      return event.event === name && wanted(event) ? event : undefined;
    });
  }

  /** Waits for the chat request of a user, and accepts it. */
  async accepts(name) {
    const request = await this.event("request_received", ({ from }) => from.name === name);
    this.allow(name);
    this.send("accept", { from: request.from.address });
  }

  /** Agrees to have users in the open chat whose p2pchat is encrypted. */
  allow(...names) {
    this.send("allow_open", { names });
  }
}

export class World {
  #running = new Set();

  /**
   * Makes a folder and starts a registry in it. What it starts ends with the test. With
   * `plaintext` its programs speak version 1 to the registry.
   */
  static async start(test, { plaintext = false } = {}) {
    const world = new World();
    world.plaintext = plaintext;
    world.folder = await mkdtemp(join(tmpdir(), "p2pchat-e2e-"));
    test.after(() => world.#stop());
    world.config = join(world.folder, "config.toml");
    world.passwordFile = join(world.folder, "password");
    await writeFile(world.config, "");
    await writeFile(world.passwordFile, PASSWORD, { mode: 0o600 });
    world.registryAddress = freshAddress();
    world.tcp = world.udp = 0;
    await world.startRegistry();
    return world;
  }

  /** Starts the registry, for the second time on the ports that it had. */
  async startRegistry() {
    const at = this.registryAddress;
    this.registry = this.#spawn("E2E_REGISTRY", [
      ["--store", join(this.folder, "registry.sqlite3")],
      ["--tcp", `${at}:${this.tcp}`, "--udp", `${at}:${this.udp}`],
    ]);
    const wanted = /listening on tcp \S+:(\d+) and udp \S+:(\d+)/;
    [, this.tcp, this.udp] = await this.registry.line("ports", (line) => line.match(wanted));
  }

  /** Gives the registry another key and store: it is set up again, or another one poses as it. */
  async replaceRegistry() {
    await this.stopRegistry();
    const ours = (await readdir(this.folder)).filter((name) => name.startsWith("registry"));
    for (const name of ours) await rm(join(this.folder, name), { recursive: true });
    await this.startRegistry();
  }

  async stopRegistry() {
    await this.#end(this.registry);
  }

  /** Starts a bridge; its files are named after the user. */
  async bridge(name, ...options) {
    const bridge = { name, options, address: freshAddress(), port: 0 };
    await this.startBridge(bridge);
    return bridge;
  }

  /** The same without a registry, which the page asks for. */
  async bridgeWithoutRegistry(name) {
    const bridge = { name, options: [], address: freshAddress(), port: 0, hasRegistry: false };
    await this.startBridge(bridge);
    return bridge;
  }

  /** Starts a bridge, for the second time where it was. */
  async startBridge(bridge) {
    bridge.process = this.#spawn("E2E_BRIDGE", [
      bridge.hasRegistry === false ? ["--address", bridge.address] : this.#peerOptions(bridge.address),
      ["--listen", `127.0.0.1:${bridge.port}`],
      ["--profile", this.profile(bridge.name)],
      bridge.options,
    ]);
    const wanted = /open (http:\S+)/;
    const line = await bridge.process.line("URL", (line) => line.match(wanted));
    bridge.url = line[1];
    bridge.port = new URL(bridge.url).port;
  }

  async stopBridge(bridge) {
    await this.#end(bridge.process);
  }

  /** A user at a terminal, driven by JSON lines: registered and logged in. */
  async terminal(name) {
    const address = freshAddress();
    const child = this.#spawn("E2E_PEER", [
      ["--json", "--register", "--user", name],
      ["--password-file", this.passwordFile],
      ["--profile", this.profile(name)],
      this.#peerOptions(address),
    ]);
    const terminal = new Terminal(child, address);
    await terminal.event("logged_in");
    return terminal;
  }

  /** A terminal on the profile of a bridge, driven by JSON lines. */
  async terminalBeside(bridge) {
    const child = this.#spawn("E2E_PEER", [
      ["--json", "--profile", this.profile(bridge.name)],
      this.#peerOptions(bridge.address),
    ]);
    const terminal = new Terminal(child, bridge.address);
    terminal.view = await terminal.event("view");
    return terminal;
  }

  /** A bridge on the profile of a terminal that runs already, registered and logged in. */
  async bridgeBeside(name) {
    const terminal = await this.terminal(name);
    const bridge = { name, options: [], address: terminal.address, port: 0, terminal };
    await this.startBridge(bridge);
    return bridge;
  }

  /** The folder with all that is a user's: their programs share one peer by it. */
  profile(name) {
    return join(this.folder, name);
  }

  #peerOptions(address) {
    const registry = `${this.registryAddress}:${this.tcp}`;
    const line = this.plaintext ? "--allow-plaintext" : [];
    return ["--registry", registry, line, "--hello-port", this.udp, "--address", address].flat();
  }

  #spawn(variable, options) {
    const child = new Process(program(variable), options.flat().map(String), this.config);
    this.#running.add(child);
    return child;
  }

  async #end(child) {
    this.#running.delete(child);
    await child.stop();
  }

  async #stop() {
    // The registry last: programs that end in order sign out first.
    for (const child of [...this.#running].reverse()) await this.#end(child);
    await rm(this.folder, { recursive: true, force: true });
  }
}
