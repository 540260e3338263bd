// Small things every page may use: copying, confirmation, closing the phone menu.
(() => {
  const copyButton = (label) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", label);
    return button;
  };

  const dress = (root) => {
    for (const figure of root.querySelectorAll("figure.code")) {
      const head = figure.querySelector(".code__head");
      if (head && !head.querySelector(".copy")) head.append(copyButton("Copy this code"));
    }
    for (const secret of root.querySelectorAll(".secret:has(code)")) {
      if (!secret.querySelector(".copy")) secret.append(copyButton(`Copy ${secret.dataset.name || "this"}`));
    }
  };

  const selectText = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };

  const copy = async (button) => {
    const source = button.closest(".code, .secret").querySelector("code");
    try {
      await navigator.clipboard.writeText(source.textContent.replace(/\n$/, ""));
      button.textContent = "Copied";
    } catch {
      // The clipboard is only there over https and on localhost; the text is then marked for the keyboard.
      selectText(source);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1600);
  };

  document.addEventListener("DOMContentLoaded", () => dress(document));
  document.addEventListener("htmx:load", (event) => dress(event.target));

  document.addEventListener("click", (event) => {
    const target = event.target;
    const button = target.closest?.("button.copy");
    if (button) copy(button);
    const menu = document.querySelector(".menu[open]");
    if (menu && !menu.contains(target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector(".menu[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A passkey dialogue that was closed or refused: said on the page instead of in the console.
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const place = document.getElementById("passkey-error");
    if (!place) return;
    place.textContent =
      event.detail.exception?.name === "NotAllowedError"
        ? "The passkey dialogue was closed or timed out. Try again when you are ready."
        : "This browser could not use a passkey here. Try another way to sign in.";
    place.hidden = false;
  });
})();
