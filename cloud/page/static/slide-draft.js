// An amendment that is not sent yet: kept by this browser until it is signed or discarded.
import { base, onChange, place, promise, root, say } from "./slide-page.js";
import { done, send, WAITS } from "./slide-send.js";

const KEY = `leukoscope-draft:${root.dataset.me}:${base}`;
const NOTHING = { changes: [], seen: [], waive: "" };
let signing = false;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null; // not ours: the next step writes over it
  }
}
const write = (draft) => sessionStorage.setItem(KEY, JSON.stringify(draft));

// One that was sent and waits for the store is not drawn, and kept for when it is refused.
export const isOpen = () => read() !== null && !promise.amends();
export const asText = () => JSON.stringify(read() ?? NOTHING);

// A draft from before a reload is shown again.
export function begin() {
  onChange(again);
  if (promise.id()) refresh(); // from before a reload: how has it ended?
  if (!isOpen()) return;
  if (place().mode === "signed") show();
  else sessionStorage.removeItem(KEY);
}

export function open() {
  if (promise.amends()) return say("Your amendment still waits for the store.");
  if (!isOpen()) write(NOTHING);
  return show();
}

export async function change(cells, label) {
  const draft = read() ?? NOTHING;
  write({ ...draft, changes: [...draft.changes, { cells, label }] });
  return show();
}

export function undo() {
  const draft = read();
  if (!draft?.changes.length) return say("Nothing is changed yet.");
  write({ ...draft, changes: draft.changes.slice(0, -1) });
  return show();
}

export function see(cells) {
  const draft = read();
  write({ ...draft, seen: [...new Set([...draft.seen, ...cells])] });
  return show();
}

export function waive(reason) {
  write({ ...read(), waive: reason });
  return show();
}

export async function discard() {
  sessionStorage.removeItem(KEY);
  return send("parts", {}, "GET");
}

export async function sign(values) {
  signing = true;
  const answer = await send("amend", { ...values, draft: asText() });
  signing = false;
  if (done(answer) && answer !== WAITS) sessionStorage.removeItem(KEY);
  return answer;
}

// As things stand now, with the draft where there is one, and how an act ended that waited for the store.
export function refresh() {
  const drawn = read() && (place().mode === "amend" || promise.amends());
  return drawn ? show() : send("parts", {}, "GET");
}

// As the slide would be; whoever asks for parts while a draft is open asks for this.
export async function show() {
  const answer = await send("draft", () => (read() ? { draft: asText() } : null));
  if (answer === 409) sessionStorage.removeItem(KEY); // it cannot be read: the server has said so
  return answer;
}

// Signed, and drawn without the draft that is open: draw it again.
function again() {
  if (promise.ended(place())) sessionStorage.removeItem(KEY);
  if (place().mode === "signed" && isOpen() && !signing) show();
}

// A page that the browser had put away comes back as it was, and the draft may be further.
addEventListener("pageshow", ({ persisted }) => persisted && refresh());
