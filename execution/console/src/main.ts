// The console's page: one context, one cell at a time.
import { CellView, remark } from "./cell";
import { byId } from "./dom";
import { History } from "./history";
import { prompt } from "./prompt";
import { lines, post, Refusal } from "./stream";

declare const htmx: { ajax(method: string, url: string, place: { target: string; swap: string }): Promise<void> };

const root = document.getElementById("console");
if (root) start(root);

function start(root: HTMLElement): void {
  const { run: runUrl = "", console: consoleUrl = "", contexts: contextsUrl = "" } = root.dataset;
  const language = byId<HTMLSelectElement>("language");
  const state = byId("state");
  const cells = byId("cells");
  const form = byId<HTMLFormElement>("prompt");
  const code = byId<HTMLTextAreaElement>("code");
  const runButton = byId<HTMLButtonElement>("run");
  const interruptButton = byId<HTMLButtonElement>("interrupt");
  const restartButton = byId<HTMLButtonElement>("restart");
  const work = byId<HTMLDetailsElement>("work");
  const history = new History(`console-${document.body.dataset.organisation}`);

  let context = root.dataset.context ?? "";
  let count = Number(root.dataset.count ?? 0);
  let running: AbortController | null = null;

  const tell = (): void => {
    byId("count").textContent = running ? "[*]" : `[${count + 1}]`;
    state.textContent = running ? "Running…" : context ? `Context ${context.slice(0, 8)}` : "No context yet: the first cell opens one";
    runButton.disabled = running !== null;
    interruptButton.disabled = running === null;
    restartButton.disabled = !context;
    work.hidden = !context;
    language.disabled = running !== null || context !== "";
    window.history.replaceState(null, "", context ? `${consoleUrl}${context}/` : consoleUrl);
  };

  /** Lists the files anew, where somebody looks at them. */
  const files = (): void => {
    if (context && work.open) void htmx.ajax("GET", `${consoleUrl}${context}/files/`, { target: "#files", swap: "outerHTML" });
  };

  const carryOut = async (cell: CellView, text: string, signal: AbortSignal): Promise<void> => {
    const fields = { code: text, ...(context ? { context_id: context } : { language: language.value }) };
    let ended = false;
    for await (const event of lines(await post(runUrl, fields, signal))) {
      if (event.type === "begin") {
        context = event.context_id;
        tell();
      } else if (event.type === "item") {
        cell.show(event.item, event.display_id, event.update);
      } else if (event.type === "end") {
        ended = true;
        if (event.execution_count !== undefined) count = event.execution_count;
        cell.end(event.execution_count);
        if (event.error) cell.fail(event.error);
      } else {
        cell.print(event.type, event.text);
      }
    }
    if (!ended) throw new Refusal("lost", "The connection was lost, which interrupts the cell. Its context stays.");
  };

  const run = async (): Promise<void> => {
    const text = code.value.trimEnd();
    if (running || !text) return;
    running = new AbortController();
    history.add(text);
    code.value = "";
    code.dispatchEvent(new Event("input"));
    const cell = new CellView(cells, text);
    tell();
    try {
      await carryOut(cell, text, running.signal);
    } catch (error) {
      cell.end(undefined);
      if (error instanceof Refusal) {
        cell.note(error.message);
        if (error.code === "not_found" && context) {
          context = "";
          count = 0;
          remark(cells, "The context has gone, and its variables with it. The next cell opens a new one.");
        }
      } else {
        cell.note(running.signal.aborted ? "Interrupted." : "The service could not be reached. Check your connection and try again.");
      }
      if (!code.value) {
        // Nobody has to type it again.
        code.value = text;
        code.dispatchEvent(new Event("input"));
      }
    }
    running = null;
    tell();
    files();
    form.scrollIntoView({ block: "nearest" });
    if (document.activeElement === document.body) code.focus();
  };

  const ask = async (action: string): Promise<boolean> => {
    try {
      await post(`${contextsUrl}${context}/${action}/`, {});
      return true;
    } catch (error) {
      remark(cells, error instanceof Refusal ? error.message : "The service could not be reached. Check your connection and try again.");
      return false;
    }
  };

  prompt(code, history, () => void run());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
    code.focus();
  });
  interruptButton.addEventListener("click", () => {
    // While its context is being opened there is nothing yet that could be asked to stop.
    if (context) void ask("interrupt");
    else running?.abort();
    code.focus();
  });
  restartButton.addEventListener("click", async () => {
    if (await ask("restart")) {
      count = 0;
      remark(cells, "Restarted: variables and files are gone.");
      tell();
      files();
    }
    code.focus();
  });
  work.addEventListener("toggle", files);
  byId("forget").addEventListener("click", () => history.forget());

  root.hidden = false;
  if (context) remark(cells, "This context is live: what its cells made is there.");
  tell();
  code.focus();
}
