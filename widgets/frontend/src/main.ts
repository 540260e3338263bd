// What the loader loads once a page has an element that wants an editor.
import { Service } from "./service";
import { Widget } from "./widget";

const widgets = new WeakMap<Element, Widget>();
/** Those on the page. One that leaves it is forgotten here, so that it goes when the page lets go of its element. */
const present = new Set<Widget>();
const services = new Map<string, Service>();

/** Turns an element into an editor, or wakes the one that it is. */
export function mount(element: Element, base: URL): void {
  let widget = widgets.get(element);
  if (!widget) {
    const host = hostOf(element);
    widget = new Widget(host, serviceAt(base));
    widgets.set(host, widget);
  }
  widget.wake();
  present.add(widget);
}

/** Called when elements have left the page: their editors end their runs and give their connections back. */
export function rest(): void {
  for (const widget of present) {
    if (widget.host.isConnected) continue;
    widget.sleep();
    present.delete(widget);
  }
}

// A page that is left may be kept by the browser for the way back; its connections would hold it up.
addEventListener("pagehide", () => {
  for (const widget of present) widget.disconnect();
});

function serviceAt(base: URL): Service {
  const known = services.get(base.href) ?? new Service(base);
  services.set(base.href, known);
  return known;
}

/** The element itself or, where it can't have a shadow root (`<pre>`, `<code>`, a text area), a `<div>` in its place. */
function hostOf(element: Element): HTMLElement {
  if (element instanceof HTMLElement && /^(article|aside|div|main|p|section|span)$/.test(element.localName)) return element;
  const host = document.createElement("div");
  for (const { name, value } of element.attributes) host.setAttribute(name, value);
  host.textContent = element.textContent;
  element.replaceWith(host);
  return host;
}

export type Main = { mount: typeof mount; rest: typeof rest };
