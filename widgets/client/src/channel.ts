// One connection: the handshake, then frames out and in, and who waits for which. It lives once; the client opens another.
import type { Result, SocketLike } from "./types";

/** The service said no, with its reason: trying again would not help. */
export class Refused extends Error {}

interface Waiting {
  accepts: (command: string) => boolean;
  resolve: (message: Result) => void;
  reject: (error: Error) => void;
}

export interface Handlers {
  /** Gets what answers nobody: output, files, events. */
  told: (message: Result) => void;
  /** The session has ended, by nobody's wish here. */
  lost: (error: Error) => void;
}

const PING_MS = 10_000;
// What a program that was stopped would have been answered with.
const SKIPPED = [
  ["result", ""],
  ["debuggerReady", ""],
  ["debuggerBreak", '{"done":true,"stack":[]}'],
] as const;

export class Channel {
  private waiting: Waiting[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heard = Date.now();
  private open = true;
  private ready = false;
  private reason = "";
  private readonly closed: Promise<void>;
  private tellClosed = (): void => undefined;

  constructor(
    private readonly socket: SocketLike,
    private readonly timeout: number,
    private readonly handlers: Handlers,
  ) {
    this.closed = new Promise((resolve) => {
      this.tellClosed = resolve;
    });
    socket.onmessage = ({ data }: { data: unknown }) => this.receive(String(data));
    socket.onerror = (event: { message?: string } | undefined) => {
      this.reason ||= event?.message ?? "";
    };
    socket.onclose = ({ code, reason }: { code?: number; reason?: string } = {}) => {
      const told = [this.reason || String(reason ?? ""), code ? `(${code})` : ""].filter(Boolean).join(" ");
      this.end(new Error(`The connection was lost${told ? `: ${told}` : ""}`));
      this.tellClosed();
    };
  }

  /** The handshake. Rejects with Refused where the service says no. */
  async begin(token: string, language: string): Promise<void> {
    const late = setTimeout(() => this.end(new Error("The service did not answer in time")), this.timeout);
    try {
      await new Promise<void>((resolve, reject) => {
        this.socket.onopen = () => resolve();
        this.waiting.push({ accepts: () => false, resolve: () => undefined, reject });
      });
      this.waiting = [];
      const { command, data } = await this.ask("auth", token, () => true);
      if (command !== "auth_result" || data !== "true") throw new Refused("Failed to auth");
      const answer = await this.ask("select_language", language, (name) => name === "ready" || name === "error");
      if (answer.command !== "ready") throw new Refused(answer.data);
      this.ready = true;
      this.beat();
    } catch (error) {
      this.end(error as Error);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  send(command: string, data = ""): void {
    if (this.open) this.socket.send(JSON.stringify({ command, data }));
  }

  /** Sends a frame and waits for the one that answers it. */
  ask(command: string, data: string, accepts: string | ((command: string) => boolean)): Promise<Result> {
    const answer = this.wait(accepts);
    this.send(command, data);
    return answer;
  }

  wait(accepts: string | ((command: string) => boolean)): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (!this.open) reject(new Error("The connection was lost"));
      const test = typeof accepts === "string" ? (command: string) => command === accepts : accepts;
      this.waiting.push({ accepts: test, resolve, reject });
    });
  }

  /** Answers all that wait for a running program, which ends now without a word of its own. */
  skipPrograms(): void {
    const rest: Waiting[] = [];
    for (const one of this.waiting) {
      const [command, data] = SKIPPED.find(([name]) => one.accepts(name)) ?? [];
      if (command === undefined) rest.push(one);
      else one.resolve({ command, data: data ?? "" });
    }
    this.waiting = rest;
  }

  async close(): Promise<void> {
    this.ready = false;
    this.end(new Error("The session was closed"));
    // A peer that has gone does not answer the close.
    let late: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.closed, new Promise((resolve) => (late = setTimeout(resolve, 2_000)))]);
    clearTimeout(late);
  }

  private receive(text: string): void {
    this.heard = Date.now();
    if (!this.open) return;
    let message: Result;
    try {
      message = JSON.parse(text) as Result;
    } catch {
      return;
    }
    if (message.command === "pong") return;
    if (message.command === "ping") return this.send("pong");
    const place = this.waiting.findIndex(({ accepts }) => accepts(message.command));
    if (place >= 0) this.waiting.splice(place, 1)[0]?.resolve(message);
    else if (message.command === "error") this.reason = message.data;
    this.handlers.told(message);
  }

  /** Keeps the connection alive through what closes idle ones, and notices when the other end has gone. */
  private beat(): void {
    this.timer = setTimeout(() => {
      if (Date.now() - this.heard > PING_MS + this.timeout) {
        this.end(new Error("The connection was lost: the service has gone silent"));
        return;
      }
      this.send("ping");
      this.beat();
    }, PING_MS);
  }

  private end(error: Error): void {
    if (!this.open) return;
    this.open = false;
    clearTimeout(this.timer);
    const { waiting, ready } = this;
    this.waiting = [];
    for (const { reject } of waiting) reject(error);
    this.socket.close();
    if (ready) this.handlers.lost(error);
  }
}
