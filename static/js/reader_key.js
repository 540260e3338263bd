// Puts a key that was just made into the examples. The server keeps only a digest of a key, so this tab's
// session storage is the one place from which it can come; it is dropped with the tab, on sign-out, when another
// organisation is shown, and when the key is revoked.
(() => {
  const slot = "example-key";
  const organisation = document.body.dataset.organisation || "";

  const forget = () => {
    try {
      sessionStorage.removeItem(slot);
    } catch {
      // Nothing was kept either.
    }
  };

  const remember = (key) => {
    try {
      sessionStorage.setItem(slot, JSON.stringify({ organisation, key }));
    } catch {
      // Without storage the key stands on this page only.
    }
  };

  const recall = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(slot));
      if (kept && organisation && kept.organisation === organisation) return kept.key;
    } catch {
      // Unreadable: as good as nothing.
    }
    forget();
    return null;
  };

  const masked = (key) => `${key.slice(0, 12)}…`;

  const show = (key) => {
    for (const blank of document.querySelectorAll("[data-fill='API_KEY']")) {
      blank.textContent = key || "$API_KEY";
      blank.classList.toggle("fill", Boolean(key));
    }
    const bar = document.querySelector("[data-reader-key]");
    for (const part of bar?.querySelectorAll("[data-when]") ?? []) {
      part.hidden = part.dataset.when !== (key ? "filled" : "blank");
    }
    const name = bar?.querySelector("[data-masked]");
    if (name && key) name.textContent = masked(key);
  };

  const make = async (form) => {
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { key } = await answer.json();
      remember(key);
      show(key);
    } catch {
      form.closest("[data-reader-key]").querySelector("[data-when='failed']").hidden = false;
    } finally {
      button.disabled = false;
    }
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.closest("[data-reader-key]")) return;
    event.preventDefault();
    make(event.target);
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-forget]")) return;
    forget();
    show(null);
  });

  const made = (root) => {
    const key = root.querySelector?.("[data-new-key] code")?.textContent.trim();
    if (key) remember(key);
  };

  // Runs deferred, so the document is there.
  made(document);
  show(recall());
  document.addEventListener("htmx:load", (event) => made(event.target));
  document.addEventListener("htmx:afterRequest", (event) => {
    // The form itself is out of the document by now.
    const prefix = event.detail.requestConfig.elt.dataset.revokes;
    if (prefix && event.detail.successful && recall()?.startsWith(prefix)) forget();
  });
})();
