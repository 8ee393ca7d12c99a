// What the modules of a slide's page share: the page's own words about itself, and small helpers.
import { promises } from "./promises.js";

export const root = document.getElementById("slide");
export const base = root.dataset.base;
export const byId = (id) => document.getElementById(id);
export const promise = promises({ me: root.dataset.me, base });

// What the server said last: number, shown, mode (review, signed, amend), undo, notice.
export const place = () => byId("place").dataset;

export const cells = (within = root) => [...within.querySelectorAll(".cell")];
export const cellOf = (thing) => thing?.closest?.(".cell");
export const binOf = (thing) => thing?.closest?.(".bin");
export const cellNamed = (name) => byId(`c-${name.replaceAll("/", ".")}`);

// In passing, for eyes and ears.
export const say = (detail) => document.dispatchEvent(new CustomEvent("say", { detail }));

// For ears alone.
export function tell(words) {
  byId("said").textContent = words;
}

// How many cells of each bin are drawn, and the digest of each: the server sends what differs.
export function drawn() {
  const bins = [...root.querySelectorAll(".bin")];
  return {
    bins: bins.map((bin) => `${bin.dataset.bin}:${byId(`more-${bin.dataset.bin}`).dataset.end}`).join(" "),
    have: bins.map((bin) => bin.dataset.digest).join(" "),
  };
}

export function screen() {
  const { number, shown } = place();
  return { number, shown, promised: promise.id(), ...drawn() };
}

const listeners = [];

// Called whenever parts of the page are other than they were.
export function onChange(act) {
  listeners.push(act);
}

export function changed() {
  root.dataset.mode = place().mode;
  document.querySelector(".ruo").textContent = place().notice;
  for (const act of listeners) act();
}
