// Boxes on the picture: where each cell is and what it is called; which one was clicked.
import { byId, chosenCell, does, numbers, onChange, press, root } from "./field-page.js";
import { choose } from "./field-choose.js";
import { onOpen, rect, viewer } from "./field-stage.js";

const SLOP = 10; // pixels of the screen beside a box that still mean it

const shown = new Map(); // place → its element on the picture

export function boxes() {
  does({ boxes: toggle });
  onOpen(place);
  onChange(draw);
  viewer.addHandler("canvas-click", clicked);
}

// Copies: what the server sends is morphed, and must not miss those that lie on the picture.
function place() {
  for (const one of sent()) {
    if (shown.has(one.dataset.n)) continue;
    const element = one.cloneNode(true);
    element.removeAttribute("id");
    shown.set(one.dataset.n, element);
    viewer.addOverlay({ element, location: rect(numbers(one.dataset.box)) });
  }
  draw();
}

const sent = () => [...byId("boxes").children];

function draw() {
  for (const one of sent()) {
    const element = shown.get(one.dataset.n);
    if (!element) continue;
    element.className = one.className;
    element.classList.toggle("is-chosen", Number(one.dataset.n) === chosenCell());
    element.replaceChildren(...one.cloneNode(true).childNodes);
  }
}

function toggle() {
  press("boxes", !root.classList.toggle("no-boxes"));
}

function clicked(event) {
  if (!event.quick) return;
  const point = viewer.viewport.viewerElementToImageCoordinates(event.position);
  const slop = SLOP / viewer.viewport.viewportToImageZoom(viewer.viewport.getZoom());
  const on = sent()
    .map((one) => [Number(one.dataset.n), numbers(one.dataset.box)])
    .filter(([, [x, y, w, h]]) => point.x > x - slop && point.x < x + w + slop && point.y > y - slop && point.y < y + h + slop)
    .sort(([, a], [, b]) => a[2] * a[3] - b[2] * b[3]); // the smallest: it may lie in another
  if (on.length) choose(on[0][0], { go: false });
}
