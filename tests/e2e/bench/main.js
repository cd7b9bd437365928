// Measures in a real Chromium, for `p2pchat-bench`: a task as JSON a line comes in, its
// figures as JSON a line go out. Times are in milliseconds.

import { createInterface } from "node:readline";

import { launch } from "../support/chromium.js";
import { load, login } from "./load.js";
import { serve } from "./serve.js";
import { direct, echo, open } from "./texts.js";

const browser = await launch();
const tasks = { direct, echo, load, login, open, serve };

for await (const line of createInterface({ input: process.stdin })) {
  const { task, ...options } = JSON.parse(line);
  console.log(JSON.stringify(await tasks[task](browser, options)));
}
await browser.close();
process.exit();
