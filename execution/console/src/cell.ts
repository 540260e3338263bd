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
  private stream: { name: string; place: HTMLElement; text: string; more: string } | null = null;
  private drawing = 0;

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
      this.draw();
      this.output.append(place);
      this.stream = { name, place, text: "", more: "" };
    }
    this.stream.more += text;
    // A program may print thousands of lines a second, each an event of its own; the eye gets a page of them at a time.
    this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    if (!this.stream?.more) return;
    const { place } = this.stream;
    const following = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
    this.stream.text = printed(this.stream.text, this.stream.more);
    this.stream.more = "";
    place.textContent = this.stream.text;
    if (following) place.scrollTop = place.scrollHeight;
  }

  show(item: Item, id = "", update = false): void {
    const now = element("div", "console__item");
    const place = update ? this.places.get(id) : undefined;
    if (place) place.replaceWith(now);
    else this.output.append(now);
    now.append(shown(item));
    if (id) this.places.set(id, now);
    if (!place) {
      this.draw();
      this.stream = null;
    }
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
    this.draw();
    this.mark.textContent = count === undefined ? "[ ]" : `[${count}]`;
  }
}

/** A line between cells, about the context and no cell. */
export function remark(list: HTMLElement, text: string): void {
  list.append(element("li", "console__remark", text));
}
