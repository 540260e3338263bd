// One widget's WebSocket to /ws/run/ (docs/websocket.md has its frames).
//
// A connection takes one of the plan's seats, so it is opened by the first run, not by looking at the page, and given
// back when nothing has run for a while.
import { backoff } from "./service";

export interface Frame {
  type: string;
  [name: string]: unknown;
}

export interface Listener {
  /** A frame of the run under way. */
  frame(frame: Frame): void;
  /** The connection broke while a run was under way; the service ends that run. */
  lost(): void;
  /** The service closed the connection while a run was under way, and says why. */
  closed(reason: string): void;
  /** The service could not be reached and will be tried again in so many milliseconds. */
  waiting(ms: number): void;
}

const IDLE_MS = 30_000;
const SILENCE_MS = 20_000;
const OPENING_MS = 20_000;

/** What the service said when it turned the connection down: no use in trying again as it is. */
export class Refused extends Error {}

/** The attempt was given up: the reader pressed Stop, or the widget left the page. */
export class GivenUp extends Error {}

class Unreachable extends Error {}

// A close code of 4000 + an HTTP status. Most come with an error frame that says more.
const REASONS: Record<number, string> = {
  4401: "The service does not accept this editor’s key.",
  4403: "This editor’s key may not be used from this page.",
  4429: "Too many readers are connected right now. Try again in a moment.",
};

export class Connection {
  #socket: WebSocket | undefined;
  #key = "";
  #ready = false;
  #busy = false;
  #timer = 0;
  #giveUp: (() => void) | undefined;

  constructor(
    private readonly url: URL,
    private readonly listener: Listener,
  ) {}

  /** Whether a run is under way. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Resolves when frames can be sent. Raises Refused and GivenUp; an unreachable service is tried until then. */
  async open(key: string): Promise<void> {
    if (this.#ready && key === this.#key) return;
    this.close();
    this.#key = key;
    let giveUp = () => {};
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = () => reject(new GivenUp());
    });
    this.#giveUp = giveUp;
    for (let attempt = 0; ; attempt++) {
      try {
        return await Promise.race([this.#connect(key), givenUp]);
      } catch (error) {
        // Whoever gave up has closed the connection; there may be a new one already.
        if (error instanceof GivenUp) throw error;
        this.#drop();
        if (error instanceof Refused) throw error;
      }
      const ms = backoff(attempt);
      this.listener.waiting(ms);
      await Promise.race([pause(ms), givenUp]);
    }
  }

  /** From here on, frames belong to a run and a break is told. */
  begin(frame: Frame): void {
    this.#busy = true;
    this.send(frame);
    this.#watch();
  }

  send(frame: Frame): void {
    if (this.#ready) this.#socket?.send(JSON.stringify(frame));
  }

  /** The run is over: the connection is kept a while for the next one. */
  end(): void {
    this.#busy = false;
    clearTimeout(this.#timer);
    if (this.#ready) this.#timer = window.setTimeout(() => this.close(), IDLE_MS);
  }

  /** Gives the seat back. The service ends a run that is under way. */
  close(): void {
    this.#giveUp?.();
    this.#drop();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#ready = this.#busy = false;
    socket?.close(1000);
  }

  #connect(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let refusal = "";
      const socket = new WebSocket(this.url);
      this.#socket = socket;
      this.#timer = window.setTimeout(() => reject(new Unreachable()), OPENING_MS);
      socket.onopen = () => socket.send(JSON.stringify({ type: "auth", key, client: "widget" }));
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data) as Frame;
        if (socket !== this.#socket) return;
        // Of the connection, not of a run: most likely the reason of the close that follows.
        if (frame.type === "error" && frame.id === undefined) refusal = String(frame.message);
        if (this.#ready) return this.#hear(frame);
        if (frame.type === "ready") {
          clearTimeout(this.#timer);
          this.#ready = true;
          resolve();
        }
      };
      socket.onclose = ({ code }) => {
        // From 4500 on the trouble is the service's own and passes.
        refusal = code >= 4400 && code < 4500 ? refusal || REASONS[code] || "The service closed the connection." : "";
        reject(refusal ? new Refused(refusal) : new Unreachable());
        if (socket === this.#socket && this.#ready) this.#broken(refusal);
      };
    });
  }

  #hear(frame: Frame): void {
    if (!this.#busy) return;
    this.#watch();
    if (frame.type !== "pong") this.listener.frame(frame);
  }

  /** A cut line says nothing: after a silence the service is asked, and has to answer. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.send({ type: "ping" });
      this.#timer = window.setTimeout(() => this.#broken(""), SILENCE_MS / 2);
    }, SILENCE_MS);
  }

  #broken(refusal: string): void {
    const wasBusy = this.#busy;
    this.#drop();
    if (!wasBusy) return;
    if (refusal) this.listener.closed(refusal);
    else this.listener.lost();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}
