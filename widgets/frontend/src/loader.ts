// /widget.js: finds the elements that want an editor, now and later, and loads the rest once there is one.
import type { Main } from "./main";

declare const MAIN: string;
declare const VERSION: string;

const WANTED = ".runcode, #runcode";

/** The address that everything else is relative to: where this script came from. */
function base(): URL {
  const current = document.currentScript;
  let source = current instanceof HTMLScriptElement ? current.src : "";
  // Modules have no current script. The page's own tag names the address, or else the trace of a dynamic import.
  source ||= [...document.scripts].find((script) => /\/widget\.js([?#]|$)/.test(script.src))?.src ?? "";
  source ||= /https?:\/\/[^\s)]+\/widget\.js/.exec(new Error().stack ?? "")?.[0] ?? document.baseURI;
  return new URL(".", source);
}

/** Whether the parser is done with an element: while a page comes in, half a program may be there. */
function complete(element: Element): boolean {
  if (document.readyState !== "loading") return true;
  for (let node: Node | null = element; node; node = node.parentNode) if (node.nextSibling) return true;
  return false;
}

function start(from: URL): void {
  let loading: Promise<Main> | undefined;
  const told = new WeakSet<Element>();
  const load = () => (loading ??= import(new URL(MAIN, from).href));

  /** An editor for this element, the one that it has had if it has been here before; without the rest of the widget its program stays readable, and it says why. */
  const mount = async (element: Element): Promise<void> => {
    try {
      (await load()).mount(element, from);
    } catch (error) {
      loading = undefined;
      console.error("Runcode widget:", error);
      if (told.has(element)) return;
      told.add(element);
      const notice = document.createElement("p");
      notice.textContent = `The editor could not be loaded from ${from.host}.`;
      element.append(notice);
    }
  };

  const look = (root: ParentNode & Node): void => {
    const found = [...root.querySelectorAll(WANTED)];
    if (root instanceof Element && root.matches(WANTED)) found.unshift(root);
    for (const element of found) {
      if (complete(element) && !element.parentElement?.closest(WANTED)) void mount(element);
    }
  };

  const observer = new MutationObserver((changes) => {
    let gone = false;
    for (const { addedNodes, removedNodes } of changes) {
      for (const node of addedNodes) if (node instanceof Element) look(node);
      gone ||= removedNodes.length > 0;
    }
    if (gone) void loading?.then((main) => main.rest());
  });
  observer.observe(document, { childList: true, subtree: true });
  look(document);
  document.addEventListener("DOMContentLoaded", () => look(document));
  Object.assign(globalThis, { RuncodeWidget: { version: VERSION, mount } });
}

// A page may carry the script twice.
if (!("RuncodeWidget" in globalThis)) start(base());
