// A widget's page: preview and lines follow the form while it is being filled in.
(() => {
  const form = document.getElementById("widget-form");
  if (!form) return;
  const snippet = document.getElementById("snippet");
  const preview = document.getElementById("preview");
  const script = snippet.textContent.trimEnd().split("\n").at(-1);
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  const attributes = () => {
    const { compiler, theme, height } = form.elements;
    const found = { "data-key": form.dataset.key };
    if (compiler.value !== "python-3.14") found["data-lang"] = compiler.value;
    if (theme.value !== "dark") found["data-theme"] = theme.value;
    if (height.value && height.value !== "400") found["data-height"] = height.value;
    return found;
  };

  const write = () => {
    const named = Object.entries(attributes()).map(([name, value]) => ` ${name}="${value}"`);
    const program = form.elements.program.value.trimEnd();
    const inside = program && `\n${escaped(program)}\n`;
    snippet.textContent = `<div class="runcode"${named.join("")}>${inside}</div>\n${script}\n`;
  };

  // Another first program needs another editor; everything else the one that stands there takes over.
  const show = (anew) => {
    let editor = preview.firstElementChild;
    if (anew) {
      const other = document.createElement("div");
      other.className = "runcode";
      other.textContent = `\n${form.elements.program.value}`;
      editor.replaceWith(other);
      editor = other;
    }
    for (const name of ["data-key", "data-lang", "data-theme", "data-height"]) {
      const value = attributes()[name];
      if (value === undefined) editor.removeAttribute(name);
      else if (editor.getAttribute(name) !== value) editor.setAttribute(name, value);
    }
  };

  let waiting;
  form.addEventListener("input", (event) => {
    const { name } = event.target;
    if (!["compiler", "theme", "height", "program"].includes(name)) return;
    write();
    clearTimeout(waiting);
    waiting = setTimeout(() => show(name === "program"), 300);
  });
})();
