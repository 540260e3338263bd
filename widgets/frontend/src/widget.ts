// One editor of a page: its element, its attributes, its buttons.
import { Editor } from "./editor";
import { Output } from "./output";
import { programOf } from "./program";
import { Runner } from "./run";
import type { Compiler, Service } from "./service";
import { COMMAND, element, View } from "./view";
import css from "./widget.css";

const ATTRIBUTES = ["data-key", "data-lang", "data-theme", "data-height"];
const COMPILER = "python-3.14";
const HEIGHT = 400;
const LEAST_HEIGHT = 220;
const SAID_MS = 1_600;
// What is typed here is meant for the editor: a page that listens for letters on the document must not act on it.
const KEPT_INSIDE = ["keydown", "keyup", "keypress", "beforeinput", "input", "paste", "copy", "cut"];

let sheet: CSSStyleSheet | undefined;

export class Widget {
  readonly #view = new View();
  readonly #output = new Output(this.#view.log);
  readonly #runner: Runner;
  readonly #editor: Editor;
  readonly #first: string;
  #compilers: Compiler[] = [];
  /** The compiler's sample that was put into the editor, while nothing else was written there. */
  #sample = "";

  constructor(
    readonly host: HTMLElement,
    private readonly service: Service,
  ) {
    const view = this.#view;
    this.#first = programOf(host);
    const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren(view.all);
    this.#runner = new Runner(service, view, this.#output);
    this.#editor = new Editor(root, view.editor, this.#first, "editor-help");
    this.#listen(root);
    this.#dress();
    new MutationObserver((changes) => {
      this.#dress();
      if (changes.some((change) => change.attributeName === "data-lang")) this.#offer();
    }).observe(host, { attributeFilter: ATTRIBUTES });
    view.languages.append(element("option", { value: this.#given }, this.#given));
    view.tell("", ["", "Ready."]);
    void this.#load();
  }

  /** The element has left the page. */
  sleep(): void {
    this.disconnect();
    this.#editor.sleep();
  }

  /** The element is on the page, again or for the first time. */
  wake(): void {
    this.#editor.wake();
  }

  /** Ends a run and gives the connection back; the next run makes another. */
  disconnect(): void {
    this.#runner.disconnect();
  }

  // --- Its attributes ---

  get #given(): string {
    return this.host.dataset.lang?.trim() || COMPILER;
  }

  #dress(): void {
    const { theme, height } = this.host.dataset;
    this.#view.all.dataset.theme = theme?.trim().toLowerCase() === "light" ? "light" : "dark";
    const pixels = Number.parseInt(height ?? "", 10) || HEIGHT;
    this.#view.all.style.height = `${Math.max(pixels, LEAST_HEIGHT)}px`;
  }

  // --- Languages ---

  async #load(): Promise<void> {
    const trouble = () => this.#view.tell("bad", ["", `${this.service.trouble} Trying again …`]);
    let troubled = false;
    this.#compilers = await this.service.compilers(() => {
      troubled = true;
      if (!this.#runner.busy) trouble();
    });
    if (troubled && !this.#runner.busy) this.#view.tell("", ["", "Ready."]);
    this.#offer();
  }

  /** Fills the selector: what can run here, and the element's own language, whatever it is. */
  #offer(): void {
    const given = this.#given;
    const offered = this.#compilers.filter(({ id, available }) => available || id === given);
    const options = offered.map((compiler) => {
      const note = compiler.available ? (compiler.stand_in ? ` – here ${compiler.version}` : "") : " – not installed";
      return element("option", { value: compiler.id }, compiler.name + note);
    });
    if (!offered.some(({ id }) => id === given)) options.unshift(element("option", { value: given }, given));
    this.#view.languages.replaceChildren(...options);
    this.#view.languages.value = given;
    this.#choose();
  }

  #choose(): void {
    const chosen = this.#compilers.find(({ id }) => id === this.#view.languages.value);
    const untouched = this.#editor.text === this.#sample;
    if (untouched && !this.#first) this.#show(chosen?.sample ?? "");
    void this.#editor.highlight(chosen?.editor_mode ?? "");
  }

  #show(sample: string): void {
    this.#sample = sample && sample.replace(/^\n+|\s+$/g, "") + "\n";
    this.#editor.text = this.#sample;
  }

  // --- Its controls ---

  #listen(root: ShadowRoot): void {
    const view = this.#view;
    view.run.addEventListener("click", () => this.#run());
    view.stop.addEventListener("click", () => this.#runner.stop());
    view.reset.addEventListener("click", () => this.#reset());
    view.copy.addEventListener("click", () => void this.#copy());
    view.languages.addEventListener("change", () => this.#choose());
    view.endInput.addEventListener("click", () => this.#runner.endInput());
    view.live.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#runner.input(view.line.value);
      view.line.value = "";
    });
    // Before the editor sees it: there the same keys insert an empty line.
    view.all.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
        event.preventDefault();
        event.stopPropagation();
        this.#run();
      },
      { capture: true },
    );
    view.line.addEventListener("keydown", (event) => {
      if (event.key !== "d" || !event.ctrlKey || view.line.value) return;
      event.preventDefault();
      this.#runner.endInput();
    });
    for (const type of KEPT_INSIDE) root.addEventListener(type, (event) => event.stopPropagation());
  }

  #run(): void {
    this.#runner.start(this.host.dataset.key?.trim() ?? "", {
      compiler: this.#view.languages.value,
      code: this.#editor.text,
      input: this.#view.stdin.value,
    });
  }

  #reset(): void {
    this.#view.languages.value = this.#given;
    this.#sample = this.#editor.text = this.#first;
    this.#choose();
  }

  async #copy(): Promise<void> {
    const button = this.#view.copy;
    try {
      await navigator.clipboard.writeText(this.#editor.text);
      button.textContent = "Copied";
    } catch {
      // Browsers keep the clipboard from plain http and from most frames: then the keyboard has to do it.
      this.#editor.selectAll();
      button.textContent = `Press ${COMMAND} C`;
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, SAID_MS);
  }
}
