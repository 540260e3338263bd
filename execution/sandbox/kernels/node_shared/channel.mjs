// The end that kernels in JavaScript have of the channel on descriptor 3 (execution/sandbox/channel.py).

import { read, writeSync } from "node:fs";

const CHANNEL = 3;

export function send(message) {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, 4);
  for (let sent = 0; sent < frame.length; ) sent += writeSync(CHANNEL, frame, sent);
}

// A function that waits for the next message; `gone` is called when the supervisor has gone.
export const receiver = (gone) => {
  const exactly = (size) => {
    const buffer = Buffer.alloc(size);
    return new Promise((done) => {
      const more = (at) => {
        if (at === size) return done(buffer);
        // In the thread pool: the descriptor stays a blocking one, which another thread writes to.
        read(CHANNEL, buffer, at, size - at, null, (error, count) => (error || !count ? gone() : more(at + count)));
      };
      more(0);
    });
  };
  return async () => JSON.parse(await exactly((await exactly(4)).readUInt32BE()));
};
