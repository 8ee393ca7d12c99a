// One act after the other, each with the number that the one before has brought; and the cells as they are now.
import * as draft from "./field-draft.js";
import { ask } from "./field-fetch.js";
import { base, byId, changed, fieldName, place, promise, say } from "./field-page.js";

let queue = Promise.resolve();

// Answers the HTTP status, 0 where nobody answered. Values may be a function, asked when its turn comes.
export function send(verb, values) {
  queue = queue.then(() => act(verb, typeof values === "function" ? values() : values));
  return queue;
}

export const WAITS = 202;
export const written = (status) => status >= 200 && status < 300 && status !== WAITS;

// As things stand now: after an act, and when others have done something.
export function refresh() {
  queue = queue.then(fresh).catch(() => 0); // nobody answered: the next word of the stream asks again
  return queue;
}

// An act that waited for the store has come to its end: the slide's page knows how, and tells it once.
export function settled() {
  queue = queue.then(outcome).then(fresh).catch(() => 0); // nobody answered: as above
  return queue;
}

async function outcome() {
  const { status, page } = await ask(`${base}/parts?promised=${promise.id()}`);
  problem(page, status);
  const told = page.getElementById("place");
  if (told && promise.ended(told.dataset)) draft.discard();
  const words = page.getElementById("said")?.textContent;
  if (words) say(words);
}

async function act(verb, values) {
  const { number, shown } = place();
  try {
    const { status, page } = await ask(`${base}/${verb}`, { number, shown, ...values });
    problem(page, status);
    if (status === WAITS) promise.keep(page.getElementById("place").dataset.promise, false);
    await fresh();
    return status;
  } catch {
    byId("error").replaceChildren(byId("unreachable").content.cloneNode(true));
    return 0;
  }
}

function problem(page, status) {
  const error = page.querySelector("#error > .error, body > .error");
  byId("error").replaceChildren(...(error ? [error] : []));
  if (!error && status >= 300) throw new Error(`unexpected answer ${status}`);
}

async function fresh() {
  const form = draft.isOpen() ? { draft: draft.asText() } : null;
  const { status, page } = await ask(`${base}/fields/${fieldName}/part`, form);
  const cells = page.getElementById("cells");
  if (status !== 200 || !cells) return;
  Idiomorph.morph(byId("cells"), cells, {
    // What a person is at stays theirs.
    callbacks: { beforeAttributeUpdated: (name) => name !== "hidden" && name !== "aria-pressed" },
  });
  changed();
}
