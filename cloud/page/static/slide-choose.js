// Which cells are selected, and which one has the focus: by click, tap, Space, Shift.
import { binOf, byId, cellNamed, cellOf, cells, onChange, root, tell } from "./slide-page.js";

const chosen = new Set(); // names of cells, so that a selection outlives what the server sends
let anchor = null; // where a range begins
let current = null; // name of the cell that Tab reaches

export const selected = () => cells().map((cell) => cell.dataset.cell).filter((name) => chosen.has(name));
export const isSelected = (cell) => chosen.has(cell.dataset.cell);

export function choosing() {
  root.addEventListener("click", (event) => {
    const cell = event.target.closest(".pick") && cellOf(event.target);
    if (!cell) return;
    if (event.shiftKey && anchor) range(cell);
    else toggle(cell);
  });
  root.addEventListener("focusin", (event) => {
    const cell = cellOf(event.target);
    if (cell) reach(cell);
  });
  pictures();
  onChange(draw);
  draw();
}

// A picture that does not come is said: such a cell can be named, and is not seen by looking.
function pictures() {
  root.addEventListener("error", (event) => cellOf(event.target)?.classList.add("is-lost"), true);
  root.addEventListener("load", (event) => cellOf(event.target)?.classList.remove("is-lost"), true);
  for (const img of root.querySelectorAll(".pick img")) {
    if (img.complete && img.naturalWidth === 0) cellOf(img).classList.add("is-lost"); // before this script came
  }
}

export function toggle(cell) {
  const { cell: name } = cell.dataset;
  if (!chosen.delete(name)) chosen.add(name);
  anchor = name;
  draw();
}

// From the anchor to this cell, within what is shown.
export function range(cell) {
  const all = cells();
  const [from, to] = [all.findIndex((one) => one.dataset.cell === anchor), all.indexOf(cell)].sort((a, b) => a - b);
  for (const one of all.slice(Math.max(from, 0), to + 1)) chosen.add(one.dataset.cell);
  draw();
}

export function anchorAt(cell) {
  anchor ??= cell.dataset.cell;
}

export function choose(some) {
  for (const cell of some) chosen.add(cell.dataset.cell);
  draw();
  const behind = some.length && byId(`more-${binOf(some[0]).dataset.bin}`).textContent.trim();
  tell(`${chosen.size} selected${behind ? "; the bin has more cells than are shown" : ""}`);
}

export function only(cell) {
  chosen.clear();
  toggle(cell);
}

export function clear() {
  chosen.clear();
  anchor = null;
  draw();
}

// The one cell that Tab reaches; arrows go from there.
export function reach(cell) {
  const before = current && cellNamed(current);
  if (before) tabs(before, "-1");
  current = cell.dataset.cell;
  tabs(cell, "0");
}

export const focused = () => cellOf(document.activeElement);

function tabs(cell, index) {
  for (const thing of cell.querySelectorAll(".pick, .open")) thing.setAttribute("tabindex", index);
}

function draw() {
  const all = cells();
  for (const name of [...chosen]) if (!cellNamed(name)) chosen.delete(name);
  for (const cell of all) {
    const pick = cell.firstElementChild;
    const now = String(chosen.has(cell.dataset.cell));
    if (pick.getAttribute("aria-pressed") !== now) pick.setAttribute("aria-pressed", now);
  }
  if (all.length && !(current && cellNamed(current))) reach(all[0]);
  byId("chosen").hidden = chosen.size === 0;
  byId("chosen-count").textContent = chosen.size;
}
