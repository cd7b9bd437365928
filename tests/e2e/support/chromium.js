// The Chromium that tests and measurements run in.

import { chromium } from "playwright-core";

import { program } from "./world.js";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it. */
export function launch() {
  return chromium.launch({ executablePath: program("E2E_CHROMIUM"), args: FLAGS });
}
