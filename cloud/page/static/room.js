// What every page of the reading room does: menus, the error's close, what is said, the keys' dialog.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

  // --- what is said: an event `say` from anywhere, or HX-Trigger: {"say": "…"} from the server ---

  const SHOWN_MS = 5000;
  const toast = byId("toast");
  document.addEventListener("say", ({ detail }) => {
    const words = document.createElement("p");
    words.textContent = typeof detail === "string" ? detail : detail.value;
    toast.append(words);
    while (toast.childElementCount > 3) toast.firstElementChild.remove();
    setTimeout(() => words.remove(), SHOWN_MS);
  });

  // --- errors ---

  const error = byId("error");
  document.addEventListener("htmx:sendError", unreachable);
  document.addEventListener("htmx:timeout", unreachable);

  function unreachable() {
    error.replaceChildren(byId("unreachable").content.cloneNode(true));
  }

  // --- clicks that mean something wherever they are ---

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    for (const menu of document.querySelectorAll(".menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (on("[data-close]")) error.replaceChildren();
    if (on("[data-reload]")) location.reload();
    if (on("[data-keys]")) byId("keys").showModal();
    if (on("[data-copy]")) copy(on("[data-copy]").dataset.copy);
    if (on("dialog [data-done]") || event.target.matches("dialog")) on("dialog").close(); // or beside it
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  async function copy(text) {
    const say = (detail) => document.dispatchEvent(new CustomEvent("say", { detail }));
    try {
      await navigator.clipboard.writeText(text);
      say("Token copied.");
    } catch {
      say(`This browser does not let the page copy: ${text}`);
    }
  }

  // --- keys ---

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return escape();
    if (event.key !== "?" || event.target.matches("input, textarea, select")) return;
    event.preventDefault();
    byId("keys").showModal();
  });

  function escape() {
    const menu = document.querySelector(".menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (!document.querySelector("dialog[open]")) {
      error.replaceChildren();
    }
  }

  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js");
})();
