// The colour scheme: the system's until the reader chooses, then remembered in this browser.
// Loaded blocking in <head>, so that a page never appears in the wrong colours first.
(() => {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];
  const names = { system: "as the system says", light: "light", dark: "dark" };

  const stored = () => {
    try {
      const value = localStorage.getItem("theme");
      return order.includes(value) ? value : "system";
    } catch {
      return "system"; // storage may be forbidden; the system's choice then stands
    }
  };

  const apply = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };

  let theme = stored();
  apply(theme);

  const label = () => {
    for (const button of document.querySelectorAll("button.theme")) {
      button.setAttribute("aria-label", `Colours: ${names[theme]}. Change`);
      button.title = `Colours: ${names[theme]}`;
      button.hidden = false;
    }
  };

  document.addEventListener("DOMContentLoaded", label);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("button.theme")) return;
    theme = order[(order.indexOf(theme) + 1) % order.length];
    apply(theme);
    label();
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // The choice then lasts for this page only.
    }
  });

  // Another tab changed it.
  addEventListener("storage", (event) => {
    if (event.key !== "theme") return;
    theme = stored();
    apply(theme);
    label();
  });
})();
