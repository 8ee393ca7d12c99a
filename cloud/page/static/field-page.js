// What the modules of a field's page share: its words about itself, its buttons, small helpers.
import { promises } from "./promises.js";

export const root = document.getElementById("field");
export const { base, name: fieldName } = root.dataset;
export const byId = (id) => document.getElementById(id);
export const promise = promises({ me: root.dataset.me, base });

// What the server said last: number, shown, mode (review, signed), undo.
export const place = () => byId("cells").dataset;

export const cards = () => [...root.querySelectorAll(".cell-card")];
export const cardOf = (n) => byId(`card-${n}`);
export const numbers = (text) => text.split(" ").map(Number);

// In passing, for eyes and ears.
export const say = (detail) => document.dispatchEvent(new CustomEvent("say", { detail }));

// --- the chosen cell, by its place in the result; null for none ---

let chosen = null;

export const chosenCell = () => chosen;
export const chosenCard = () => (chosen === null ? null : cardOf(chosen));

export function setChosen(n) {
  chosen = n;
  changed();
}

// --- whenever the page is other than it was: another cell is chosen, the server has said something ---

const listeners = [];

export function onChange(act) {
  listeners.push(act);
}

export function changed() {
  for (const act of listeners) act();
}

// --- buttons: each module says what its own do ---

const acts = {};

export function does(more) {
  Object.assign(acts, more);
}

export const perform = (act) => acts[act]();

export function buttons() {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && !button.disabled) perform(button.dataset.do);
  });
}

export function press(act, on) {
  for (const button of root.querySelectorAll(`[data-do="${act}"]`)) button.setAttribute("aria-pressed", String(on));
}
