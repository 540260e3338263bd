// The playground: its editor, and the Run and Stop buttons.
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

  // One run at a time. While it lasts: how long it has taken, and a way to end it. Leaving the page ends it, too:
  // the service ends a run whose caller has gone.
  let running = null;

  const note = (text) => {
    const line = document.createElement("p");
    line.className = "faint";
    line.textContent = text;
    result.replaceChildren(line);
    return line;
  };

  const send = async (signal) => {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "HX-Request": "true" }, // the result alone, as for htmx
      signal,
    });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) location.assign(elsewhere); // signed out meanwhile
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  };

  const start = async () => {
    if (running) return;
    running = new AbortController();
    const started = performance.now();
    const line = note("Running…");
    const ticking = setInterval(() => {
      line.textContent = `Running… ${((performance.now() - started) / 1000).toFixed(1)} s`;
    }, 100);
    result.setAttribute("aria-busy", "true");
    run.disabled = true;
    stop.hidden = false;
    try {
      result.innerHTML = await send(running.signal);
    } catch (error) {
      if (error.name === "AbortError") note("Stopped. A run that is stopped is not counted.");
      else if (error.message === "403") note("This was not allowed. Reload the page: you may have been signed out.");
      else note("The run could not be carried out. Check your connection and try again.");
    } finally {
      clearInterval(ticking);
      result.removeAttribute("aria-busy");
      run.disabled = false;
      stop.hidden = true;
      running = null;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });

  stop.addEventListener("click", () => {
    running?.abort();
    code.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      start();
    }
  });

  if (new URLSearchParams(location.search).has("run")) {
    // A run's program goes before what was written here, and is then the reader's to change and to reload.
    keep();
    history.replaceState(null, "", location.pathname);
  } else {
    restore();
  }
  number();
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    document.querySelector(".play__hint kbd").textContent = "⌘";
  }
})();
