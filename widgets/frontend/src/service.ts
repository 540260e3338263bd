// The service that the script came from: its addresses, and the compilers that it offers.

/** An entry of GET /api/compilers/, as far as the widget reads it. */
export interface Compiler {
  id: string;
  name: string;
  version: string | null;
  stand_in: boolean;
  available: boolean;
  editor_mode: string;
  sample: string;
}

const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

export class Service {
  #compilers: Promise<Compiler[]> | undefined;
  #forbidden = false;

  constructor(private readonly base: URL) {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
      if (effectiveDirective === "connect-src" && blockedURI.includes(`://${this.host}`)) this.#forbidden = true;
    });
  }

  get host(): string {
    return this.base.host;
  }

  /** What to say while the service does not answer. */
  get trouble(): string {
    if (this.#forbidden) return `This page’s content security policy (connect-src) does not allow ${this.host}.`;
    return `No connection to ${this.host}.`;
  }

  get socket(): URL {
    const url = new URL("ws/run/", this.base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  }

  /** The compilers, fetched once for all widgets of the page; tried until the service answers. */
  compilers(onTrouble: () => void): Promise<Compiler[]> {
    this.#compilers ??= this.#fetch(onTrouble);
    return this.#compilers;
  }

  async #fetch(onTrouble: () => void): Promise<Compiler[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await fetch(new URL("api/compilers/", this.base), { credentials: "omit" });
        if (answer.ok) return await answer.json();
      } catch {
        // Out of reach: as an answer that is none.
      }
      onTrouble();
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
    }
  }
}

/** Milliseconds until the next attempt: longer each time, and not the same for all readers of a page. */
export function backoff(attempt: number): number {
  const most = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!;
  return most * (0.75 + Math.random() / 4);
}
