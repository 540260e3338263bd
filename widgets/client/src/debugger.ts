import type { Channel } from "./channel";
import { Emitter } from "./events";
import type { Break, Result } from "./types";

const END: Break = { done: true, stack: [] };

/** A program that is debugged. `done` is emitted when it has ended. */
export class Debugger extends Emitter {
  private depth = 0;
  private ended: Result | null = null;
  private readonly channel: Promise<Channel | null>;
  private readonly outcome: Promise<Result>;

  constructor(reset: Promise<Channel | null>, code: string) {
    super();
    // The result is waited for from the beginning: a program that does not compile has no first step.
    const started = reset.then((channel) => {
      if (!channel) return { channel, outcome: Promise.resolve<Result>({ command: "result", data: "" }), ready: null };
      const outcome = channel.wait("result");
      return { channel, outcome, ready: channel.ask("debuggerStart", code, "debuggerReady") };
    });
    this.outcome = started.then(({ outcome }) => outcome);
    this.channel = started.then(async ({ channel, ready, outcome }) => {
      await Promise.race([ready, outcome]);
      return channel;
    });
    this.outcome.then(
      (result) => {
        this.ended = result;
        this.emit("done");
      },
      () => this.emit("done"),
    );
    // Told to whoever asks for a step or the result; nobody may have asked yet.
    this.channel.catch(() => undefined);
  }

  async step(): Promise<Break> {
    const channel = await this.channel;
    if (!channel || this.ended) return END;
    const info = JSON.parse((await channel.ask("debuggerStep", "", "debuggerBreak")).data) as Break;
    this.depth = info.stack.length;
    return info;
  }

  async stepOver(): Promise<Break> {
    if (!this.depth) return this.step();
    return this.until(this.depth);
  }

  async stepOut(): Promise<Break> {
    return this.until(this.depth - 1);
  }

  async resume(): Promise<Result> {
    await this.until(-1);
    return this.outcome;
  }

  result(): Promise<Result> {
    return this.outcome;
  }

  /** Steps until the stack is no deeper than `depth`, or the end. */
  private async until(depth: number): Promise<Break> {
    for (;;) {
      const info = await this.step();
      if (info.done || info.stack.length <= depth) return info;
    }
  }
}
