// Buttons, forms and dialogs of a slide: next unseen, undo, comment, waive, sign, amend, more cells.
import { clear, selected } from "./slide-choose.js";
import * as draft from "./slide-draft.js";
import { name, undo } from "./slide-name.js";
import { base, byId, place, root, say, screen } from "./slide-page.js";
import { flush } from "./slide-see.js";
import { done, idle, send } from "./slide-send.js";

const ACTS = {
  next: nextUnseen, undo, clear, comment, sign,
  begin, discard,
};

export const perform = (act) => ACTS[act]();

export function forms() {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do], [data-label], [data-more]");
    if (!button || button.disabled) return;
    const { do: act, label, more } = button.dataset;
    if (act) perform(act);
    else if (label) name(label);
    else show(more);
  });
  root.addEventListener("submit", (event) => {
    if (event.target.dataset.form !== "waive") return;
    event.preventDefault();
    const reason = event.target.elements.reason.value;
    landing(place().mode === "amend" ? draft.waive(reason) : send("waive", { reason }));
  });
  byId("comment-dialog").addEventListener("close", (event) => event.target.returnValue === "send" && keepComment());
  root.addEventListener("close", (event) => {
    if (event.target.id === "sign-dialog" && event.target.returnValue === "sign") signNow(event.target);
  }, true);
}

// --- comment ---

function comment() {
  if (place().mode !== "review") return say("Only an amendment, with a reason, says more about a signed slide.");
  const count = selected().length;
  byId("comment-on").textContent = count ? `${count} ${count === 1 ? "cell" : "cells"}` : "the slide";
  ask(byId("comment-dialog"));
}

async function keepComment() {
  const text = byId("comment-text");
  const answer = await send("comment", { text: text.value, cells: selected().join(" ") });
  if (!done(answer)) return;
  text.value = "";
  clear();
}

// --- sign ---

async function sign() {
  await flush();
  await idle(); // else the dialog would show what is no longer so when it is signed
  // Of a draft that was not drawn the page has other figures; why it was not is said already.
  if (place().mode === "amend" && !done(await draft.show())) return;
  if (byId("sign-dialog").querySelector("form")) ask(byId("sign-dialog")); // it may be signed by now
}

// With what the dialog showed: what came since it was opened is refused by the server.
function signNow(dialog) {
  const { number, shown, drawn } = dialog.dataset;
  if (place().mode !== "amend") return landing(send("sign", { number, shown }));
  return landing(draft.sign({ number, shown, drawn, reason: byId("amend-reason").value }));
}

function begin() {
  landing(draft.open());
}

// What was pressed is gone then: whoever works by keyboard or by ear goes on where it says what is now.
async function landing(answering) {
  if (done(await answering) && document.activeElement === document.body) byId("sign-title").focus({ preventScroll: true });
}

function discard() {
  landing(draft.discard());
  say("The draft is discarded.");
}

function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
}

// --- more cells, and the next one to look at ---

async function show(label) {
  const more = byId(`more-${label}`);
  if (place().mode === "amend") {
    const bins = `${screen().bins} ${label}:${Number(more.dataset.end) + 200}`;
    return send("draft", { draft: draft.asText(), bins });
  }
  const values = { ...screen(), bin: label, after: more.dataset.end };
  await htmx.ajax("GET", `${base}/cells`, { source: more, target: byId(`cells-${label}`), swap: "beforeend", values });
}

export async function nextUnseen() {
  let cell = unseenBehind();
  while (!cell) {
    const more = [...root.querySelectorAll(".more")].find((one) => Number(one.dataset.unseenBehind) > 0);
    if (!more) return say("Every flagged cell was seen.");
    const before = more.dataset.end;
    await show(more.id.replace("more-", ""));
    if (byId(more.id).dataset.end === before) return; // nobody answered, which is said elsewhere
    cell = unseenBehind();
  }
  cell.querySelector(".pick").focus({ preventScroll: true });
  cell.scrollIntoView({ block: "center" });
}

const unseenBehind = () => root.querySelector(".cell.is-unseen:not([data-looked])");
