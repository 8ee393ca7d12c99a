// What the hand needs: where the focus goes, what is spoken, the error's close, the preview's return.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const error = byId("error");

  // --- focus: number, Enter, space, space, …, end, number ---

  function lead() {
    const at = document.activeElement;
    const free = !at || at === document.body || byId("part-slide").contains(at) || at.id === "capture";
    if (!free || error.contains(at)) return;
    const next = byId("accession") ?? byId("capture");
    if (next && next !== at) next.focus({ preventScroll: true });
  }

  let open = Boolean(document.querySelector("[data-slide]"));
  watch("part-slide", () => {
    const now = Boolean(document.querySelector("[data-slide]"));
    if (now !== open) setTimeout(lead); // after htmx has put the focus back
    open = now;
  });
  watch("part-lines", speak);

  function watch(id, act) {
    new MutationObserver(act).observe(byId(id), { childList: true });
  }

  // --- for ears: the newest capture's state, once ---

  function speak() {
    const words = document.querySelector("[data-say]")?.textContent.trim() ?? "";
    const live = byId("said");
    if (words && live.textContent !== words) live.textContent = words;
  }

  // --- errors ---

  function close() {
    const inside = error.contains(document.activeElement);
    error.replaceChildren();
    if (inside) (byId("accession") ?? byId("capture"))?.focus({ preventScroll: true });
  }

  function unreachable() {
    error.replaceChildren(byId("unreachable").content.cloneNode(true));
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && error.firstElementChild) close();
    if (event.altKey && !event.ctrlKey && !event.metaKey) shortcut(event);
  });

  // Not accesskey: that asks for other keys in each browser.
  function shortcut(event) {
    const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "");
    const wanted = document.querySelector(`[aria-keyshortcuts="Alt+${CSS.escape(letter.toUpperCase())}"]`);
    if (!wanted || event.repeat) return;
    event.preventDefault();
    wanted.focus({ preventScroll: true });
    if (wanted.matches("button")) wanted.click();
  }
  document.addEventListener("htmx:sendError", unreachable);
  document.addEventListener("htmx:timeout", unreachable);

  // A number that was refused stands selected: the next scan overwrites it.
  document.addEventListener("htmx:afterRequest", (event) => {
    const field = event.detail.elt.querySelector?.("#accession");
    if (field && !event.detail.successful) field.select();
  });

  // --- the preview: away while nobody looks, back after a fault ---

  const live = byId("live");
  const none = byId("no-picture");
  const source = live.getAttribute("src");
  let again;

  function look() {
    clearTimeout(again);
    if (!document.hidden) live.src = `${source}?${Date.now()}`;
  }

  live.addEventListener("load", () => (none.hidden = true));
  live.addEventListener("error", () => {
    if (document.hidden) return;
    none.hidden = false;
    again = setTimeout(look, 3000);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) live.removeAttribute("src");
    else look();
  });

  if (!document.activeElement || document.activeElement === document.body) lead();
})();
