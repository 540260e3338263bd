// What the dashboard adds to htmx: says when a request failed, submits a select that stands alone.
(() => {
  const trouble = (text) => {
    const place = document.getElementById("trouble");
    if (!place) return;
    place.textContent = text;
    place.hidden = !text;
  };

  document.addEventListener("htmx:beforeRequest", () => trouble(""));
  document.addEventListener("htmx:sendError", () =>
    trouble("The service could not be reached. Check your connection and try again."),
  );
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (status === 403) trouble("This was not allowed. Reload the page: you may have been signed out.");
    else if (status === 404) trouble("This is no longer there. Reload the page.");
    else if (status === 413) trouble("What was sent is too large.");
    else trouble("Something broke on our side. Try again in a moment.");
  });

  const dress = (root) => {
    for (const select of root.querySelectorAll("select[data-submits]")) {
      const button = select.form.querySelector("button");
      if (button) button.hidden = true;
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("select[data-submits]")) event.target.form.requestSubmit();
  });

  // What is filtered is part of the address: it can be reloaded, kept and sent.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, pathInfo } = event.detail;
    if (successful && elt.matches("form[data-address]")) history.replaceState(null, "", pathInfo.finalRequestPath);
  });

  dress(document);

  // On a phone the sections are a row that scrolls: bring the present one into view.
  const tabs = document.querySelector(".sidenav--tabs ul");
  const here = tabs?.querySelector("[aria-current]");
  if (here) tabs.scrollLeft = here.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
})();
