// Markdown and formulas as HTML; loaded when a cell shows the first of them. The HTML goes into a frame, as programs'
// own does.
import { marked } from "marked";
import temml from "temml";

export function fromMarkdown(text: string): string {
  return marked.parse(text, { async: false });
}

export function fromLatex(text: string): string {
  const inner = text.trim().replace(/^(\$\$?)([\s\S]*)\1$/, "$2");
  return temml.renderToString(inner, { displayMode: true, throwOnError: true });
}
