// What was typed before, kept in this browser for each organisation.

const MOST_ENTRIES = 200;
const MOST_CHARACTERS = 10_000;

export class History {
  private entries: string[];
  private place: number;
  private draft = "";

  constructor(private readonly slot: string) {
    this.entries = read(slot);
    this.place = this.entries.length;
  }

  add(code: string): void {
    if (code.length <= MOST_CHARACTERS && this.entries.at(-1) !== code) this.entries.push(code);
    this.entries = this.entries.slice(-MOST_ENTRIES);
    this.place = this.entries.length;
    try {
      localStorage.setItem(this.slot, JSON.stringify(this.entries));
    } catch {
      // Storage may be forbidden or full; the history then lasts as long as the page.
    }
  }

  /** The entry before or after the present one, `now` is what stands there; null at either end. */
  walk(step: -1 | 1, now: string): string | null {
    const next = this.place + step;
    if (next < 0 || next > this.entries.length) return null;
    if (this.place === this.entries.length) this.draft = now;
    this.place = next;
    return this.entries[next] ?? this.draft;
  }

  forget(): void {
    this.entries = [];
    this.place = 0;
    try {
      localStorage.removeItem(this.slot);
    } catch {
      // Nothing was kept.
    }
  }
}

function read(slot: string): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(slot) ?? "[]");
    return Array.isArray(kept) ? kept.filter((entry) => typeof entry === "string") : [];
  } catch {
    return [];
  }
}
