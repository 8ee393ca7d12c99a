// Class-activation maps over the picture: of the chosen cell, or of all.
import { why } from "./field-fetch.js";
import { byId, cards, cardOf, chosenCell, does, numbers, onChange, press, say } from "./field-page.js";
import { beside, isOpen, onOpen, rect, viewer } from "./field-stage.js";

const drawn = new Map(); // place → its picture
let all = false;

export function maps() {
  does({ map: one, maps: every });
  onChange(told);
  onOpen(() => drawn.clear() ?? told());
}

function one() {
  const n = chosenCell();
  if (n === null) return say("Choose a cell first.");
  if (drawn.has(n)) hide(n);
  else show(n);
  all = drawn.size === cards().length;
  told();
}

function every() {
  all = !all;
  for (const card of cards()) (all ? show : hide)(Number(card.dataset.n));
  told();
}

function show(n) {
  if (drawn.has(n) || !isOpen()) return;
  const element = new Image();
  element.className = "heat";
  element.alt = "";
  element.addEventListener("error", () => missing(n, element.src));
  element.src = cardOf(n).dataset.map;
  drawn.set(n, element);
  const square = numbers(byId(`box-${n}`).dataset.square);
  // Beyond the field's edge the model saw it mirrored; there is nothing there to point at.
  element.style.clipPath = `inset(${beside(square).map((part) => `${100 * part}%`).join(" ")})`;
  viewer.addOverlay({ element, location: rect(square) });
}

function hide(n) {
  const element = drawn.get(n);
  if (!element) return;
  drawn.delete(n);
  viewer.removeOverlay(element);
}

async function missing(n, address) {
  if (!drawn.has(n)) return;
  hide(n);
  all = false;
  told();
  say(await why(address));
}

function told() {
  press("maps", all && drawn.size > 0);
  press("map", drawn.has(chosenCell()));
  byId("legend").hidden = drawn.size === 0;
}
