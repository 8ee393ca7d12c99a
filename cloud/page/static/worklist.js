// The list: changes come in place, whoever reads stays where they are; and the keys of the list.
"use strict";

(() => {
  const list = document.getElementById("lines");
  const search = document.getElementById("search");
  const said = document.getElementById("said");

  // --- live ---

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (event.detail.type !== "part-lines") return;
    event.preventDefault();
    const before = new Set(ids());
    staying(() => Idiomorph.morph(list, event.detail.data, { morphStyle: "innerHTML" }));
    announce(ids().filter((id) => !before.has(id)));
  });

  function ids() {
    return [...list.querySelectorAll(".line")].map((line) => line.id);
  }

  // The line that has the focus, else the first that is in view, stands where it stood.
  function staying(change) {
    const focused = document.activeElement?.closest?.(".line");
    const kept = focused ?? (scrollY > 0 ? inView() : undefined);
    const top = kept?.getBoundingClientRect().top;
    const inside = focused && document.activeElement;
    change();
    if (inside?.isConnected && document.activeElement !== inside) inside.focus({ preventScroll: true });
    if (kept?.isConnected) scrollBy({ top: kept.getBoundingClientRect().top - top, behavior: "instant" });
  }

  function inView() {
    const head = document.querySelector(".head").getBoundingClientRect().bottom;
    return [...list.querySelectorAll(".line")].find((line) => line.getBoundingClientRect().bottom > head);
  }

  function announce(fresh) {
    for (const id of fresh) document.getElementById(id).classList.add("is-new");
    if (fresh.length) said.textContent = fresh.length === 1 ? "One slide has come." : `${fresh.length} slides have come.`;
  }

  // --- keys ---

  const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target === search) return leave(event);
    if (event.target.matches("input, textarea, select, summary")) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key in STEPS) {
      event.preventDefault();
      step(STEPS[event.key]);
    }
  });

  function leave(event) {
    if (event.key === "ArrowDown" || event.key === "Escape") {
      event.preventDefault();
      event.key === "Escape" ? search.blur() : step(1);
    }
  }

  function step(by) {
    const links = [...list.querySelectorAll(".line-open")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement?.closest(".line")?.querySelector(".line-open"));
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
    links[next].focus({ preventScroll: true });
    links[next].closest(".line").scrollIntoView({ block: "nearest" });
  }
})();
