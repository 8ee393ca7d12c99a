// An amendment that is not sent yet: this browser keeps it, for slide-draft.js too; here it is added to.
import { base, place, promise, root, say } from "./field-page.js";
import { refresh, settled } from "./field-send.js";

const KEY = `leukoscope-draft:${root.dataset.me}:${base}`;

const read = () => JSON.parse(sessionStorage.getItem(KEY) ?? "null");

function write(draft) {
  sessionStorage.setItem(KEY, JSON.stringify(draft));
  return refresh();
}

// A draft is begun and signed on the slide's page; one of a slide that is not signed means nothing.
// One that waits for the store is not drawn.
export const isOpen = () => place().mode !== "review" && read() !== null && !promise.amends();
export const discard = () => sessionStorage.removeItem(KEY);
export const asText = () => sessionStorage.getItem(KEY);

export function begin() {
  if (promise.id()) settled(); // from before this page: how has it ended?
  else if (isOpen()) refresh();
}

export function change(cell, label) {
  const draft = read();
  return write({ ...draft, changes: [...draft.changes, { cells: [cell], label }] });
}

export function see(cell) {
  const draft = read();
  return write({ ...draft, seen: [...new Set([...draft.seen, cell])] });
}

export function undo() {
  const draft = read();
  if (!draft.changes.length) return say("Nothing is changed yet.");
  return write({ ...draft, changes: draft.changes.slice(0, -1) });
}
