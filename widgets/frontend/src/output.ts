// The panel that shows what a program prints. Text only: whatever it looks like, it stays text.
import { PlainText } from "./plain_text";

export type Kind = "stdout" | "stderr" | "echo" | "note";

// The end of a longer output is kept; a browser lays out this much without a pause.
const MOST = 100_000;
const PIECE = 4_096;
// Beyond this a screen reader would read for minutes: the log falls silent, its end is told by the status.
const READ_ALOUD = 2_000;

export class Output {
  readonly #pieces: { node: HTMLElement; text: Text }[] = [];
  readonly #plain = { stdout: new PlainText(), stderr: new PlainText() };
  #waiting: [Kind, string][] = [];
  #length = 0;
  #frame = 0;

  constructor(private readonly panel: HTMLElement) {}

  clear(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#waiting = [];
    this.#pieces.length = 0;
    this.#length = 0;
    this.#plain.stdout.end();
    this.#plain.stderr.end();
    this.panel.replaceChildren();
    this.panel.setAttribute("aria-live", "polite");
  }

  add(kind: Kind, text: string): void {
    const shown = kind === "stdout" || kind === "stderr" ? this.#plain[kind].push(text) : text;
    if (!shown) return;
    this.#waiting.push([kind, shown]);
    this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  /** Shows at once what is still held back. */
  flush(): void {
    for (const kind of ["stdout", "stderr"] as const) {
      const rest = this.#plain[kind].end();
      if (rest) this.#waiting.push([kind, rest]);
    }
    cancelAnimationFrame(this.#frame);
    this.#show();
  }

  #show(): void {
    this.#frame = 0;
    const panel = this.panel;
    const atEnd = panel.scrollHeight - panel.scrollTop - panel.clientHeight < 24;
    for (const [kind, text] of this.#waiting) this.#append(kind, text);
    this.#waiting = [];
    while (this.#length > MOST && this.#pieces.length > 1) {
      const oldest = this.#pieces.shift()!;
      this.#length -= oldest.text.length;
      oldest.node.remove();
    }
    if (this.#length > READ_ALOUD) panel.setAttribute("aria-live", "off");
    if (atEnd) panel.scrollTop = panel.scrollHeight;
  }

  #append(kind: Kind, text: string): void {
    if (kind === "note") text = this.#onItsOwnLine(text);
    for (let start = 0; start < text.length; start += PIECE) {
      const part = text.slice(start, start + PIECE);
      const last = this.#pieces.at(-1);
      if (last?.node.dataset.kind === kind && last.text.length < PIECE) {
        last.text.appendData(part);
      } else {
        const node = document.createElement("span");
        node.dataset.kind = kind;
        node.append((node.ownerDocument ?? document).createTextNode(part));
        this.#pieces.push({ node, text: node.firstChild as Text });
        this.panel.append(node);
      }
      this.#length += part.length;
    }
  }

  #onItsOwnLine(text: string): string {
    const last = this.#pieces.at(-1);
    return (last && !last.text.data.endsWith("\n") ? "\n" : "") + text + "\n";
  }
}
