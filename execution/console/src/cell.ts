// A cell in the transcript: what was typed, and what comes of it.
import { element } from "./dom";
import { shown } from "./item";
import type { CellError, Item } from "./stream";
import { printed } from "./terminal";

export class CellView {
  private readonly root = element("li", "console__cell");
  private readonly mark = element("span", "console__count", "[*]");
  private readonly output = element("div", "console__output");
  private readonly places = new Map<string, HTMLElement>();
  private stream: { name: string; place: HTMLElement; text: string } | null = null;

  constructor(list: HTMLElement, code: string) {
    const asked = element("div", "console__asked");
    asked.append(this.mark, element("pre", "console__code", code));
    this.root.append(asked, this.output);
    list.append(this.root);
  }

  print(name: "stdout" | "stderr", text: string): void {
    if (this.stream?.name !== name) {
      const place = element("pre", `console__text console__text--${name}`);
      place.tabIndex = 0;
      this.output.append(place);
      this.stream = { name, place, text: "" };
    }
    const following = this.stream.place.scrollHeight - this.stream.place.scrollTop - this.stream.place.clientHeight < 40;
    this.stream.text = printed(this.stream.text, text);
    this.stream.place.textContent = this.stream.text;
    if (following) this.stream.place.scrollTop = this.stream.place.scrollHeight;
  }

  show(item: Item, id = "", update = false): void {
    const now = element("div", "console__item");
    const place = update ? this.places.get(id) : undefined;
    if (place) place.replaceWith(now);
    else this.output.append(now);
    now.append(shown(item));
    if (id) this.places.set(id, now);
    if (!place) this.stream = null;
  }

  fail({ name, value, traceback }: CellError): void {
    const place = element("div", "console__error");
    place.append(element("p", "", value ? `${name}: ${value}` : name));
    if (traceback) {
      const pre = element("pre", "console__text", traceback.trimEnd());
      pre.tabIndex = 0;
      place.append(pre);
    }
    this.output.append(place);
  }

  note(text: string): void {
    this.output.append(element("p", "console__note", text));
  }

  end(count: number | undefined): void {
    this.mark.textContent = count === undefined ? "[ ]" : `[${count}]`;
  }
}

/** A line between cells, about the context and no cell. */
export function remark(list: HTMLElement, text: string): void {
  list.append(element("li", "console__remark", text));
}
