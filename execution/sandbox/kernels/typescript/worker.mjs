// The thread that reads the channel, so that an interrupt gets through while a cell runs in the main thread.

import { read } from "node:fs";
import { Session } from "node:inspector/promises";
import { parentPort } from "node:worker_threads";

const CHANNEL = 3;
// A main thread that does not answer for so long is running a cell's code, in milliseconds.
const BUSY = 50;

const session = new Session();
session.connectToMainThread();

function exactly(size) {
  const buffer = Buffer.alloc(size);
  return new Promise((done) => {
    const more = (at) => {
      if (at === size) return done(buffer);
      // In the thread pool: the descriptor stays a blocking one, which the other thread writes to.
      read(CHANNEL, buffer, at, size - at, null, (error, count) => (error || !count ? process.exit(0) : more(at + count)));
    };
    more(0);
  });
}

const receive = async () => JSON.parse(await exactly((await exactly(4)).readUInt32BE()));

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
