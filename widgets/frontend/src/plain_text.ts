// Program output as plain text: what would drive a terminal is taken out, also when it is split between two pieces.

const ESCAPE = "\\x1b";
const SEQUENCE = new RegExp(
  [
    `(?:${ESCAPE}\\[|\\x9b)[0-?]*[ -/]*[@-~]`, // colours, cursor, screen (ECMA-48 control sequences)
    `${ESCAPE}[\\]P^_X][^\\x07\\x1b]*(?:\\x07|${ESCAPE}\\\\)`, // titles, links, device strings
    `${ESCAPE}[ -/]*[0-~]`, // everything else that begins with ESC
  ].join("|"),
  "g",
);
const UNFINISHED = new RegExp(
  `(?:${ESCAPE}(?:\\[[0-?]*[ -/]*|[\\]P^_X][^\\x07\\x1b]*${ESCAPE}?|[ -/]*)?|\\x9b[0-?]*[ -/]*|\\r)$`,
);
// All control characters but tab and line feed.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
// Longer than any that is meant seriously: then it is text.
const LONGEST = 4096;

export class PlainText {
  #held = "";

  /** What can be shown of the output so far, without what was returned before. */
  push(piece: string): string {
    let text = this.#held + piece;
    const cut = UNFINISHED.exec(text.slice(-LONGEST));
    this.#held = cut ? cut[0] : "";
    if (cut) text = text.slice(0, -cut[0].length);
    return shown(text);
  }

  /** The rest, at the end of the output. */
  end(): string {
    const rest = this.#held;
    this.#held = "";
    return shown(rest);
  }
}

function shown(text: string): string {
  return text.replace(SEQUENCE, "").replace(/\r\n?/g, "\n").replace(CONTROL, "");
}
