// What the loader loads once a page has an element that wants an editor.
import { Service } from "./service";
import { Widget } from "./widget";

const widgets = new Set<Widget>();
const services = new Map<string, Service>();

/** Turns an element into an editor. */
export function mount(element: Element, base: URL): void {
  const service = services.get(base.href) ?? new Service(base);
  services.set(base.href, service);
  widgets.add(new Widget(hostOf(element), service));
}

/** Called when elements left the page: those that held an editor give their connection back, and end their run. */
export function rest(): void {
  for (const widget of widgets) if (!widget.host.isConnected) widget.rest();
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
