// The thread that reads the channel, so that an interrupt gets through while a cell runs in the main thread.

import { Session } from "node:inspector/promises";
import { parentPort } from "node:worker_threads";

import { receiver } from "./channel.mjs";

// A main thread that does not answer for so long is running a cell's code, in milliseconds.
const BUSY = 50;

const session = new Session();
session.connectToMainThread();

const receive = receiver(() => process.exit(0));

let timer;
parentPort.on("message", () => clearTimeout(timer));

for (;;) {
  const message = await receive();
  parentPort.postMessage(message);
  if (message.do === "interrupt") {
    // Whoever only waits for a promise answers by itself; terminating what does not run would terminate what runs next.
    timer = setTimeout(() => session.post("Runtime.terminateExecution").catch(() => {}), BUSY);
  }
}
