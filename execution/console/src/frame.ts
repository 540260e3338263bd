// HTML of programs. It may hold anything, so it is never part of this page: it is written into a frame that has no
// origin, no network and no way out (`console_output` in execution/pages_console.py).
import { byId, element } from "./dom";

const MOST_HEIGHT = 640;

interface Shown {
  html: string;
  sent: boolean;
}

const frames = new Map<Window, { frame: HTMLIFrameElement; shown: Shown }>();

/** A frame that shows HTML and is as high as it needs to be, within bounds. */
export function framed(html: string, title: string): HTMLElement {
  const frame = element("iframe", "console__frame");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = title;
  frame.src = byId("console").dataset.output ?? "";
  const shown = { html: dressed(html), sent: false };
  // There is a window only once it is in the page; `load` comes after the frame's own script has asked.
  const place = element("div", "console__html");
  place.append(frame);
  queueMicrotask(() => {
    if (frame.contentWindow) frames.set(frame.contentWindow, { frame, shown });
  });
  return place;
}

addEventListener("message", ({ source, data }: MessageEvent) => {
  const known = source && frames.get(source as Window);
  if (!known || typeof data !== "object" || data === null) return;
  const { frame, shown } = known;
  if (data.ready === true && !shown.sent) {
    shown.sent = true;
    // It has no origin that could be named; it gets only what it is to show.
    (source as Window).postMessage({ html: shown.html }, { targetOrigin: "*" });
  } else if (typeof data.height === "number" && Number.isFinite(data.height)) {
    frame.style.height = `${Math.max(0, Math.min(data.height, MOST_HEIGHT))}px`;
  }
});

/** With the colours and the type of the page around it. */
function dressed(html: string): string {
  const look = getComputedStyle(document.body);
  const dark =
    document.documentElement.dataset.theme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const colours = `color-scheme:${dark ? "dark" : "light"};color:${look.color}`;
  return `<!doctype html><meta charset="utf-8"><style>
html{${colours};font:14px/1.5 ${look.fontFamily};overflow-wrap:anywhere}
body{margin:0;padding:4px}
body>:first-child{margin-top:0}body>:last-child{margin-bottom:0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
table.dataframe{border:0;font-size:13px}
table.dataframe :is(td,th){padding:2px 10px;border:0;border-bottom:1px solid #8886;text-align:right;overflow-wrap:normal}
pre,code{font-family:ui-monospace,Menlo,Consolas,monospace}
img,svg{max-width:100%}
</style>${html}`;
}
