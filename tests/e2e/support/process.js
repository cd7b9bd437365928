// Processes of the tests: started, listened to, ended, each by its own id.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How long anything on one machine may take, in milliseconds. Something is broken after that. */
export const PATIENCE = 20_000;

/**
 * What a browser says by itself about a bridge that is down. A connection that was made in the
 * moment in which it stopped ends without a word.
 */
export const BRIDGE_IS_DOWN =
  /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)|WebSocket|can.t establish a connection/;

/** The environment without the options of p2pchat that the user may have set. */
function cleanEnvironment(config) {
  const ours = ([name]) => !name.startsWith("P2PCHAT_");
  const kept = Object.fromEntries(Object.entries(process.env).filter(ours));
  return { ...kept, RUST_LOG: "error", P2PCHAT_CONFIG: config };
}

/** A program whose lines of output are kept and can be waited for. */
export class Process {
  #child;
  #ended;
  #lines = [];
  #look = new Set();
  #said = "";

  constructor(program, args, config) {
    this.name = program.split("/").at(-1);
    this.#child = spawn(program, args, {
      env: cleanEnvironment(config),
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", resolve);
      this.#child.once("close", resolve);
    });
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.on("data", (data) => (this.#said += data));
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      for (const look of this.#look) look();
    });
  }

  write(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Waits for the first line, of those not asked for before, of which `wanted` makes something. */
  line(what, wanted) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#look.delete(look);
        settle(value);
      };
      const fail = (why) =>
        end(reject, new Error(`${this.name}: no ${what}: ${why}\n${this.#said}${this.#lines.join("\n")}`));
      const look = () => {
        while (this.#lines.length > 0) {
          const found = wanted(this.#lines.shift());
          if (found) return end(resolve, found);
        }
      };
      const timer = setTimeout(() => fail("not in time"), PATIENCE);
      this.#look.add(look);
      this.#ended.then(() => fail("it has ended"));
      look();
    });
  }

  /** Sends it a signal, without waiting for what follows. */
  signal(name) {
    this.#child.kill(name);
  }

  /** Ends it at once, as a crash would. */
  async kill() {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks it to end in order, and waits until it has. */
  async stop() {
    this.#child.kill("SIGTERM");
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE);
    await this.#ended;
    clearTimeout(kill);
  }
}
