// Keys on a field. Inert where somebody types, and in a dialog.
import { byId, perform } from "./field-page.js";
import { labelOf, name } from "./field-name.js";
import { move } from "./field-stage.js";

const ACTS = { ArrowLeft: "left", ArrowRight: "right", b: "boxes", h: "map", m: "maps", u: "undo", "+": "closer", "=": "closer", "-": "wider", 0: "whole" };
const LINKS = { p: "before", n: "after", g: "back" };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input, textarea, select")) return;
    const act = meant(event);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function meant({ key, shiftKey }) {
  if (shiftKey && key in MOVES) return () => move(...MOVES[key]);
  if (labelOf(key)) return () => name(labelOf(key));
  if (key in ACTS) return () => perform(ACTS[key]);
  if (key in LINKS) return () => byId(LINKS[key])?.click();
  return null;
}
