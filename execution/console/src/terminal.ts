// What programs print is meant for a terminal: progress bars go back to the beginning of their line, colours are escapes.

const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

/** `before`, which ends in the middle of a line or not, and what is printed after it, as a terminal would show both. */
export function printed(before: string, more: string): string {
  const text = before + more.replace(ESCAPES, "");
  if (!text.includes("\r")) return text;
  return text
    .replace(/\r+\n/g, "\n")
    .split("\n")
    .map(overwritten)
    .join("\n");
}

function overwritten(line: string): string {
  if (!line.includes("\r")) return line;
  // A return at the very end has nothing to write over yet; it is kept for what comes.
  const open = line.endsWith("\r");
  const shown = (open ? line.slice(0, -1) : line)
    .split("\r")
    .reduce((under, over) => over + under.slice(over.length), "");
  return open ? `${shown}\r` : shown;
}
