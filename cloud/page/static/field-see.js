// Flagged cells count as seen: the chosen one, when it was on the screen, large and whole, for a second.
import * as draft from "./field-draft.js";
import { chosenCard, chosenCell, place } from "./field-page.js";
import { send, WAITS, written } from "./field-send.js";
import { isOpen, onScreen } from "./field-stage.js";

const PART = 0.9; // of the cell that has to be in view
const LEAST_PX = 96; // its longer side on the screen
const LOOK_MS = 1000; // how long
const LOOK_EVERY_MS = 250;
const AGAIN_MS = 5000; // after the server did not take it

const told = new Set(); // names that the server has, or is about to have
let looked = { name: "", since: 0 };

export function seeing() {
  setInterval(look, LOOK_EVERY_MS);
}

function look() {
  const card = chosenCard();
  const name = card?.dataset.name;
  if (!card?.dataset.unseen || told.has(name) || !inView()) {
    looked = { name: "", since: 0 };
  } else if (looked.name !== name) {
    looked = { name, since: Date.now() };
  } else if (Date.now() - looked.since >= LOOK_MS) {
    tell(name);
  }
}

function inView() {
  if (!isOpen() || document.hidden || document.querySelector("dialog[open]")) return false;
  const { size, part } = onScreen(chosenCell());
  return size >= LEAST_PX && part >= PART;
}

async function tell(name) {
  if (place().mode === "signed" && !draft.isOpen()) return;
  told.add(name);
  if (draft.isOpen()) return draft.see(name);
  const status = await send("see", { cells: name });
  if (!written(status) && status !== WAITS) setTimeout(() => told.delete(name), AGAIN_MS);
}
