// Takes the server's parts in without tearing anything out: pictures stay loaded, the place is kept.
import { byId, cellOf, changed, root } from "./slide-page.js";

export function morphing() {
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (!root.contains(target)) return; // the error, what is said
    event.preventDefault();
    const part = fragment.nodeType === Node.ELEMENT_NODE && fragment.id ? fragment : fragment.firstElementChild;
    if (part) staying(() => take(target, part));
  });
}

let waiting = false;

function take(target, part) {
  for (const cell of part.querySelectorAll(".cell")) bring(cell.id, target);
  Idiomorph.morph(target, part.cloneNode(true), {
    morphStyle: "outerHTML",
    // What a person is at stays theirs: an open dialog, an opened detail, words being written.
    callbacks: {
      beforeNodeMorphed: (old) => !(old.nodeName === "DIALOG" && old.open) && !isWritten(old),
      beforeAttributeUpdated: (name) => name !== "open" && name !== "aria-pressed" && name !== "tabindex",
    },
  });
  htmx.process(byId(target.id));
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => {
    waiting = false;
    changed();
  });
}

// A cell that comes from another bin is carried over, with its picture.
function bring(id, target) {
  const there = byId(id);
  if (there && there.closest(".bin") !== target) target.querySelector(".cells")?.append(there);
}

function isWritten(old) {
  return old.nodeName === "TEXTAREA" && old.value !== "";
}

// Whoever reads stays where they are: the cell with the focus, else the first in view, keeps its place.
function staying(change) {
  const focused = document.activeElement;
  const held = cellOf(focused) ?? inView();
  const top = held?.getBoundingClientRect().top;
  change();
  if (focused?.isConnected && focused !== document.activeElement && root.contains(focused)) focused.focus({ preventScroll: true });
  if (held?.isConnected) scrollBy({ top: held.getBoundingClientRect().top - top, behavior: "instant" });
}

function inView() {
  const y = byId("bin-nav").getBoundingClientRect().bottom + 4;
  return cellOf(document.elementFromPoint(innerWidth / 4, y)) ?? cellOf(document.elementFromPoint(innerWidth / 4, y + 60));
}
