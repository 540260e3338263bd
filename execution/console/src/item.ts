// One thing that a cell showed, in the best of its forms.
import { element } from "./dom";
import { framed } from "./frame";
import { tree } from "./json";
import type { Item } from "./stream";

/** The item as an element. Nothing of it runs in this page: HTML stands in a frame, pictures are pictures. */
export function shown(item: Item): HTMLElement {
  if (item.html !== undefined) return framed(item.html, "HTML of the cell");
  if (item.markdown !== undefined) return marked("Markdown of the cell", item.markdown, (it, text) => it.fromMarkdown(text));
  if (item.svg !== undefined) return picture(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(item.svg)}`, item);
  if (item.png !== undefined) return picture(`data:image/png;base64,${item.png}`, item);
  if (item.jpeg !== undefined) return picture(`data:image/jpeg;base64,${item.jpeg}`, item);
  if (item.latex !== undefined) return marked("Formula", item.latex, (it, text) => it.fromLatex(text));
  if (item.json !== undefined) return tree(item.json);
  if (item.pdf !== undefined) return download(item.pdf);
  if (item.text !== undefined) return element("pre", "console__text", item.text);
  if (item.javascript !== undefined) return element("pre", "console__text", item.javascript);
  return tree(item.extra ?? {});
}

type Markup = typeof import("./markup");

/** The text as it is until what draws it is there, and where it can't be drawn. */
function marked(title: string, text: string, html: (markup: Markup, text: string) => string): HTMLElement {
  const place = element("div");
  place.append(element("pre", "console__text", text));
  void import("./markup")
    .then((markup) => place.replaceChildren(framed(html(markup, text), title)))
    .catch(() => undefined);
  return place;
}

function picture(source: string, item: Item): HTMLElement {
  const image = element("img", "console__picture");
  image.alt = item.text ?? "Picture of the cell";
  image.src = source;
  return image;
}

function download(base64: string): HTMLElement {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const link = element("a", "", "Download the PDF");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
  link.download = "output.pdf";
  return link;
}
