// Pages work without this script. With it the search follows the typing, and
// lists renew themselves while somebody is looking.
(() => {
  const live = () => document.querySelector("[data-live]");
  if (!live()) return;
  let waiting, running;

  async function show(url, remember) {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(url, { signal: running.signal, headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = [...document.querySelectorAll("details[open]")].map((d) => d.id);
      live().replaceWith(page.querySelector("[data-live]"));
      open.forEach((id) => { const d = id && document.getElementById(id); if (d) d.open = true; });
      if (remember) history.replaceState(null, "", url);
    } catch {
      // The next turn tries again.
    }
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.matches("[role=search]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const query = new URLSearchParams(new FormData(form));
      [...query].forEach(([key, value]) => value || query.delete(key));
      show(location.pathname + (query.size ? "?" + query : ""), true);
    }, 200);
  });

  setInterval(() => {
    const busy = document.hidden || String(getSelection());
    if (!busy) show(location.href, false);
  }, 15000);
})();
