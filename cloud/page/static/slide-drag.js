// Cells dragged onto a bin, or onto its name above: all that are selected, or the one that was taken.
import { isSelected, only, selected } from "./slide-choose.js";
import { nameThese } from "./slide-name.js";
import { cellNamed, cellOf, root } from "./slide-page.js";

let dragged = [];

export function drag() {
  root.addEventListener("dragstart", (event) => {
    const cell = cellOf(event.target);
    if (!cell) return;
    if (!isSelected(cell)) only(cell);
    dragged = selected();
    event.dataTransfer.setData("text/plain", `${dragged.length} cells`);
    event.dataTransfer.effectAllowed = "move";
    for (const name of dragged) cellNamed(name)?.classList.add("is-dragged");
  });
  root.addEventListener("dragover", (event) => {
    const bin = dragged.length && binUnder(event);
    over(bin);
    if (!bin) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  });
  root.addEventListener("drop", (event) => {
    const bin = binUnder(event);
    if (!bin || !dragged.length) return;
    event.preventDefault();
    nameThese(dragged, bin.dataset.bin);
    end();
  });
  root.addEventListener("dragend", end);
}

const binUnder = (event) => event.target.closest?.("[data-bin]");

function over(bin) {
  for (const one of root.querySelectorAll(".is-over")) if (one !== bin) one.classList.remove("is-over");
  if (bin) bin.classList.add("is-over");
}

function end() {
  for (const cell of root.querySelectorAll(".is-dragged")) cell.classList.remove("is-dragged");
  over(null);
  dragged = [];
}
