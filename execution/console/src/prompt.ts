// The field in which a cell is typed.
import type { History } from "./history";

const INDENT = "    ";

/** Gives the field its keys. `run` is called for Enter; Shift and Enter begin a new line, indented as the last. */
export function prompt(field: HTMLTextAreaElement, history: History, run: () => void): void {
  // Escape lets the next Tab leave the field, so that it is no trap for the keyboard.
  let leaving = false;

  const fit = (): void => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };

  // execCommand is deprecated and still the one way that keeps the browser's undo history.
  const type = (text: string): void => {
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const walk = (step: -1 | 1): boolean => {
    if (field.selectionStart !== field.selectionEnd) return false;
    const beyond = step < 0 ? field.value.slice(0, field.selectionStart) : field.value.slice(field.selectionEnd);
    if (beyond.includes("\n")) return false;
    const entry = history.walk(step, field.value);
    if (entry === null) return false;
    field.value = entry;
    const place = step < 0 ? (entry.split("\n")[0] ?? "").length : entry.length;
    field.setSelectionRange(place, place);
    fit();
    return true;
  };

  const newLine = (): void => {
    const line = field.value.slice(0, field.selectionStart).split("\n").at(-1) ?? "";
    const indent = line.match(/^[ \t]*/)?.[0] ?? "";
    type(`\n${indent}${/[:{([]\s*$/.test(line) ? INDENT : ""}`);
  };

  const outdent = (): void => {
    const { value, selectionStart } = field;
    const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const blank = value.slice(from).match(/^(?:\t| {1,4})/)?.[0] ?? "";
    if (!blank) return;
    field.setSelectionRange(from, from + blank.length);
    type("");
    const place = Math.max(from, selectionStart - blank.length);
    field.setSelectionRange(place, place);
  };

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Escape") {
      leaving = true;
      return;
    }
    if (event.key === "Enter") {
      event.preventDefault();
      if (event.shiftKey) newLine();
      else run();
    } else if (event.key === "Tab" && plain && !leaving) {
      event.preventDefault();
      if (event.shiftKey) outdent();
      else type(INDENT);
    } else if (plain && !event.shiftKey && event.key === "ArrowUp") {
      if (walk(-1)) event.preventDefault();
    } else if (plain && !event.shiftKey && event.key === "ArrowDown") {
      if (walk(1)) event.preventDefault();
    }
    if (event.key !== "Tab" && event.key !== "Shift") leaving = false;
  });
  field.addEventListener("blur", () => {
    leaving = false;
  });
  field.addEventListener("input", fit);
}
