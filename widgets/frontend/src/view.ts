// The elements of a widget and their texts. Built by hand: no markup is ever parsed.

type Attributes = Record<string, string>;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const PLAIN = { spellcheck: "false", autocapitalize: "off", autocomplete: "off", autocorrect: "off" };
export const COMMAND = /Mac|iP(hone|ad|od)/.test(navigator.platform) ? "⌘" : "Ctrl";

function button(label: string, title: string, kind = ""): HTMLButtonElement {
  return element("button", { type: "button", title, class: kind }, label);
}

export class View {
  readonly languages = element("select", { id: "languages" });
  readonly copy = button("Copy", "Copy the program");
  readonly reset = button("Reset", "Put the first program back");
  readonly stop = button("Stop", "End the run");
  readonly run = button("Run", `Run the program (${COMMAND} Enter)`, "primary");
  readonly editor = element("div", { class: "editor" });
  readonly log = element("div", {
    class: "log",
    role: "log",
    tabindex: "0",
    "aria-live": "polite",
    "aria-label": "Output",
  });
  readonly line = element("input", { ...PLAIN, id: "line", enterkeyhint: "send" });
  readonly endInput = button("End", "End the input (end of file)");
  readonly live = element(
    "form",
    { class: "live", hidden: "" },
    element("label", { class: "hidden", for: "line" }, "Input for the running program"),
    element("span", { class: "prompt", "aria-hidden": "true" }, "›"),
    this.line,
    element("button", { type: "submit", title: "Send the line (Enter)" }, "Send"),
    this.endInput,
  );
  readonly stdin = element("textarea", {
    ...PLAIN,
    id: "stdin",
    rows: "1",
    wrap: "off",
    "aria-describedby": "stdin-help",
    placeholder: "Empty: type while it runs",
  });
  readonly status = element("div", { class: "status", role: "status" });
  readonly all: HTMLElement;

  constructor() {
    this.all = element(
      "div",
      { class: "widget", role: "group", "aria-label": "Code editor" },
      element(
        "div",
        { class: "bar" },
        element("label", { class: "hidden", for: "languages" }, "Language"),
        this.languages,
        element("div", { class: "buttons" }, this.copy, this.reset, this.stop, this.run),
      ),
      this.editor,
      element("p", { class: "hidden", id: "editor-help" }, "Tab indents. To leave the editor with Tab, press Escape first."),
      element(
        "div",
        { class: "io" },
        element("div", { class: "out" }, this.log, this.live),
        element(
          "div",
          { class: "in" },
          element("label", { for: "stdin" }, "Input"),
          this.stdin,
          element(
            "p",
            { class: "hidden", id: "stdin-help" },
            "All that the program reads. Leave it empty to type while the program runs.",
          ),
        ),
      ),
      this.status,
    );
    this.busy = false;
    this.log.append(element("span", { class: "hint" }, "What the program prints stands here."));
  }

  /** Run and Stop never lose the focus: the one that has no use now stays, and says so. */
  set busy(busy: boolean) {
    this.run.setAttribute("aria-disabled", String(busy));
    this.stop.setAttribute("aria-disabled", String(!busy));
  }

  /** `state` colours the line: "", "ok" or "bad". `parts` are names with values, the first one stands out. */
  tell(state: string, ...parts: [name: string, value: string][]): void {
    this.status.dataset.state = state;
    this.status.replaceChildren(
      ...parts.map(([name, value]) =>
        element("span", name ? { "data-part": name } : {}, ...(name ? [element("i", {}, name + " "), value] : [value])),
      ),
    );
  }
}
