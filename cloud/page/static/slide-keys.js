// Keys on a slide: from cell to cell, and what they are called. Inert in a field or a dialog.
import { anchorAt, choose, clear, focused, range, reach, selected } from "./slide-choose.js";
import { nextUnseen, perform } from "./slide-forms.js";
import { name, undo } from "./slide-name.js";
import { binOf, cells, root } from "./slide-page.js";

const LABELS = { 1: "ALL", 2: "AML", 3: "Normal", 4: "unidentified", x: "excluded" };
const ACTS = { u: undo, n: nextUnseen, c: () => perform("comment"), a: selectBin, o: openField };

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

function meant(event) {
  const inPick = event.target.matches(".pick, .open");
  if (event.key in LABELS) return () => name(LABELS[event.key]);
  if (event.key in ACTS && !event.shiftKey) return ACTS[event.key];
  if (event.key === "Escape" && selected().length) return clear;
  if (event.key.startsWith("Arrow") && (inPick || event.target === document.body)) return () => go(event.key, event.shiftKey);
  return null;
}

function go(key, extending) {
  const all = cells();
  const at = focused();
  const to = at ? all[target(all, all.indexOf(at), key)] : all[0];
  if (!to) return;
  if (extending && at) {
    anchorAt(at);
    range(to);
  }
  reach(to);
  to.querySelector(".pick").focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

// Up and down go to the cell above or below, over the ends of bins.
function target(all, here, key) {
  if (key === "ArrowLeft") return here - 1;
  if (key === "ArrowRight") return here + 1;
  const step = key === "ArrowUp" ? -1 : 1;
  const { left, top } = all[here].getBoundingClientRect();
  let row = null;
  let best = here;
  for (let n = here + step; n >= 0 && n < all.length; n += step) {
    const box = all[n].getBoundingClientRect();
    if (box.top === top) continue;
    row ??= box.top;
    if (box.top !== row) break;
    if (best === here || Math.abs(box.left - left) < Math.abs(all[best].getBoundingClientRect().left - left)) best = n;
  }
  return best;
}

function selectBin() {
  const bin = binOf(focused()) ?? root.querySelector(".bin:has(.cell)");
  if (bin) choose(cells(bin));
}

function openField() {
  focused()?.querySelector(".open").click();
}
