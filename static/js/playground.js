// The playground's editor and its Run button. htmx sends the form and puts the answer into #result.
(() => {
  const form = document.getElementById("play");
  if (!form) return;
  const code = document.getElementById("code");
  const input = document.getElementById("input");
  const compiler = document.getElementById("compiler");
  const run = document.getElementById("run");
  const stop = document.getElementById("stop");
  const result = document.getElementById("result");
  const lines = document.querySelector(".editor__lines");
  const samples = JSON.parse(document.getElementById("samples").textContent);
  const slot = `playground-${document.body.dataset.organisation}`;

  // Line numbers, so that a message about line 7 can be followed.
  const number = () => {
    const count = code.value.split("\n").length;
    lines.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
    lines.scrollTop = code.scrollTop;
  };

  // What was written survives a reload of this tab, and no longer.
  const keep = () => {
    try {
      sessionStorage.setItem(
        slot,
        JSON.stringify({ compiler: compiler.value, code: code.value, input: input.value }),
      );
    } catch {
      // Storage may be forbidden or full.
    }
  };

  const restore = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(slot));
      if (!kept || !(kept.compiler in samples)) return;
      compiler.value = kept.compiler;
      code.value = kept.code;
      input.value = kept.input;
    } catch {
      // Unreadable: the sample stays.
    }
  };

  const untouched = () => {
    const written = code.value.trim();
    return !written || Object.values(samples).some((sample) => sample.trim() === written);
  };

  // execCommand is deprecated and still the one way that keeps the browser's undo history.
  const type = (text) => {
    if (!document.execCommand("insertText", false, text)) {
      code.setRangeText(text, code.selectionStart, code.selectionEnd, "end");
      code.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const unit = () => (compiler.value.startsWith("go") ? "\t" : "    ");

  const indentLines = (outwards) => {
    const { value, selectionStart, selectionEnd } = code;
    const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const block = value.slice(from, selectionEnd);
    const changed = outwards
      ? block.replace(/^(\t| {1,4})/gm, "")
      : block.replace(/^(?=.)/gm, unit());
    if (changed === block) return;
    code.setSelectionRange(from, selectionEnd);
    type(changed);
    if (selectionStart !== selectionEnd) code.setSelectionRange(from, from + changed.length);
  };

  // Escape lets the next Tab leave the editor, so that it is no trap for the keyboard.
  let leaving = false;

  code.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      leaving = true;
    } else if (event.key === "Tab" && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (leaving) return;
      event.preventDefault();
      const several = code.value.slice(code.selectionStart, code.selectionEnd).includes("\n");
      if (event.shiftKey) indentLines(true);
      else if (several) indentLines(false);
      else type(unit());
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      const before = code.value.slice(0, code.selectionStart);
      const line = before.slice(before.lastIndexOf("\n") + 1);
      const indent = line.match(/^[ \t]*/)[0];
      type(`\n${indent}${/[:{([]\s*$/.test(line) ? unit() : ""}`);
    } else if (!["Shift", "Control", "Alt", "Meta"].includes(event.key)) {
      leaving = false;
    }
  });

  code.addEventListener("blur", () => {
    leaving = false;
  });
  code.addEventListener("input", () => {
    number();
    keep();
  });
  code.addEventListener("scroll", () => {
    lines.scrollTop = code.scrollTop;
  });
  input.addEventListener("input", keep);

  compiler.addEventListener("change", () => {
    if (untouched()) code.value = samples[compiler.value];
    number();
    keep();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !run.disabled) {
      event.preventDefault();
      form.requestSubmit(run);
    }
  });

  // While it runs: how long it has taken, and a way to end it.
  let ticking = 0;

  form.addEventListener("htmx:beforeRequest", () => {
    const started = performance.now();
    const waiting = document.createElement("p");
    waiting.className = "faint";
    const tell = () => {
      waiting.textContent = `Running… ${((performance.now() - started) / 1000).toFixed(1)} s`;
    };
    tell();
    result.setAttribute("aria-busy", "true");
    result.replaceChildren(waiting);
    ticking = setInterval(tell, 100);
    stop.hidden = false;
  });

  form.addEventListener("htmx:afterRequest", (event) => {
    clearInterval(ticking);
    stop.hidden = true;
    result.removeAttribute("aria-busy");
    if (event.detail.successful) return;
    const note = document.createElement("p");
    note.className = "faint";
    note.textContent = event.detail.xhr.status ? "No result." : "Stopped.";
    result.replaceChildren(note);
  });

  stop.addEventListener("click", () => {
    htmx.trigger(form, "htmx:abort");
    code.focus();
  });

  restore();
  number();
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    document.querySelector(".play__hint kbd").textContent = "⌘";
  }
})();
