// The program that stands in the element when the page is loaded.

/** The element's text without the line breaks around it and without the indentation that all its lines share. */
export function programOf(element: Element): string {
  const lines = (element.textContent ?? "").replace(/\r\n?/g, "\n").replace(/^(?:[^\S\n]*\n)+|\s+$/g, "").split("\n");
  const indents = lines.filter((line) => line.trim()).map((line) => /^[ \t]*/.exec(line)![0].length);
  const shared = indents.length ? Math.min(...indents) : 0;
  const text = lines.map((line) => line.slice(shared)).join("\n");
  return text && text + "\n";
}
