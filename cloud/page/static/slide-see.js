// Which flagged cells were seen: the loaded picture in view, large enough, for long enough.
import * as draft from "./slide-draft.js";
import { base, byId, cellNamed, onChange, place, root } from "./slide-page.js";
import { done, send, WAITS } from "./slide-send.js";

const PART = 0.9; // of the picture that has to be in view
const LEAST_PX = 96; // its height and width on the screen
const LOOK_MS = 1000; // how long
const BATCH_MS = 2000; // between two messages to the server
const REST_MS = 10000; // before it is told again what it could not take

const looking = new Map(); // cell → timer
const looked = new Set(); // names that the server has yet to be told
let observer = null;
let told = Promise.resolve();
let notBefore = 0;

export function seeing() {
  onChange(watch);
  addEventListener("resize", again);
  document.addEventListener("visibilitychange", again);
  root.addEventListener("load", (event) => event.target.matches?.(".is-unseen img") && again(), true);
  root.addEventListener("click", (event) => {
    const cell = event.target.closest(".is-unseen .open") && event.target.closest(".cell");
    if (cell) look(cell); // opened
  });
  setInterval(() => Date.now() >= notBefore && flush(), BATCH_MS);
  addEventListener("pagehide", farewell);
  watch();
}

// Tells the server now; answers when it has it.
export function flush() {
  if (looked.size && place().mode !== "signed") {
    const some = [...looked];
    looked.clear();
    told = (place().mode === "amend" ? draft.see(some) : send("see", { cells: some.join(" ") })).then((answer) => keep(some, answer));
  }
  return told;
}

// The page goes away: what it has seen is sent off without waiting for an answer.
function farewell() {
  if (!looked.size || place().mode !== "review") return;
  const csrf = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
  const { number, shown } = place();
  navigator.sendBeacon(`${base}/see`, new URLSearchParams({ csrf, number, shown, cells: [...looked].join(" ") }));
  looked.clear();
}

// What is refused for good is drawn anew by the answer, and can be looked at again.
function keep(some, answer) {
  if (answer === WAITS) return; // the server has it, and says when it is written
  if (done(answer)) {
    for (const name of some) seen(cellNamed(name));
  } else if (answer === 0 || answer === 503) {
    for (const name of some) looked.add(name);
    notBefore = Date.now() + REST_MS;
  }
}

function seen(cell) {
  cell?.classList.remove("is-unseen");
  cell?.querySelector(".cell-flag")?.replaceWith(byId("seen-mark").content.cloneNode(true));
}

// What lies under the bars above and below is not in view.
function watch() {
  const above = byId("bin-nav").getBoundingClientRect().height + document.querySelector(".head").getBoundingClientRect().height;
  const below = byId("dock").getBoundingClientRect().height + document.querySelector(".ruo").getBoundingClientRect().height;
  observer?.disconnect();
  observer = new IntersectionObserver(notice, { threshold: [0, PART], rootMargin: `${-Math.round(above)}px 0px ${-Math.round(below)}px 0px` });
  for (const cell of root.querySelectorAll(".cell.is-unseen:not([data-looked])")) observer.observe(cell.querySelector("img"));
}

let due = 0;

function again() {
  clearTimeout(due);
  due = setTimeout(watch, 200);
}

function notice(entries) {
  for (const entry of entries) {
    const cell = entry.target.closest(".cell");
    if (entry.intersectionRatio >= PART && fit(entry.target, entry.boundingClientRect)) begin(cell);
    else stop(cell);
  }
}

function fit(img, box) {
  return img.complete && img.naturalWidth > 0 && Math.min(box.width, box.height) >= LEAST_PX && !document.hidden;
}

function begin(cell) {
  if (looking.has(cell)) return;
  looking.set(cell, setTimeout(() => {
    looking.delete(cell);
    if (document.hidden || !cell.isConnected) return;
    if (document.querySelector("dialog[open]")) return again(); // covered: look again when it is gone
    look(cell);
  }, LOOK_MS));
}

function stop(cell) {
  clearTimeout(looking.get(cell));
  looking.delete(cell);
}

function look(cell) {
  cell.dataset.looked = "";
  looked.add(cell.dataset.cell);
  observer.unobserve(cell.querySelector("img"));
}
