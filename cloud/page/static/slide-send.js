// One request after the other, each with what the one before has brought: number, shown, digests.
import { base, byId, place, promise, root, screen } from "./slide-page.js";

export const WAITS = 202;

let queue = Promise.resolve();
let open = 0;
let status = 0;

const acts = byId("acts");
acts.addEventListener("htmx:afterRequest", (event) => (status = event.detail.xhr?.status ?? 0));

// Values may be a function: then they are asked for when their turn comes; null sends nothing.
// Answers the HTTP status, 0 where nobody answered.
export function send(verb, values = {}, method = "POST") {
  const turn = queue.then(() => request(verb, values, method));
  queue = turn.catch(() => 0);
  return queue;
}

// Answers when all that was asked for so far is answered.
export const idle = () => queue;

async function request(verb, values, method) {
  const wanted = typeof values === "function" ? values() : values;
  if (wanted === null) return 204;
  status = 0;
  busy(1);
  try {
    await htmx.ajax(method, `${base}/${verb}`, { source: acts, swap: "none", values: { ...screen(), ...wanted } });
  } catch {
    // Nobody answered: room.js has said so.
  } finally {
    busy(-1);
  }
  if (status === WAITS) promise.keep(place().promise, verb === "amend");
  return status;
}

function busy(by) {
  open += by;
  setTimeout(() => root.classList.toggle("is-busy", open > 0), 150);
}

export const done = (answer) => answer >= 200 && answer < 300;
