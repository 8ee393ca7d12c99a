// Calls cells by a class: on a slide under review at once, on a signed one in the draft of an amendment.
import { clear, focused, selected } from "./slide-choose.js";
import * as draft from "./slide-draft.js";
import { byId, cellNamed, cells, place, say } from "./slide-page.js";
import { done, send, WAITS } from "./slide-send.js";

// Calls the selected cells so, else the one that has the focus.
export async function name(label) {
  const some = selected();
  if (!some.length && focused()) some.push(focused().dataset.cell);
  if (!some.length) return say("Select cells first: tap them, or press Space.");
  await nameThese(some, label);
}

export async function nameThese(some, label) {
  const amending = place().mode !== "review" && draft.isOpen();
  if (place().mode === "signed" && !amending) return say("This slide is signed: begin an amendment to change it.");
  const next = neighbour(some);
  clear();
  const answer = amending ? await draft.change(some, label) : await send("reclassify", { cells: some.join(" "), label });
  if (done(answer) && answer !== WAITS) follow(next);
}

export function undo() {
  if (place().mode === "amend") return draft.undo();
  return send("undo", () => {
    const entry = Number(place().undo);
    if (!entry) say("There is no step of yours to undo.");
    return entry ? { entry } : null;
  });
}

// The cell behind those that go away, so that one key follows the other; only where the focus was there.
function neighbour(some) {
  const at = focused();
  if (!at) return null;
  const going = new Set(some);
  const bin = cells(at.parentElement);
  const here = bin.indexOf(at);
  const stays = (cell) => !going.has(cell.dataset.cell);
  return (bin.slice(here).find(stays) ?? bin.slice(0, here).findLast(stays))?.dataset.cell ?? at.closest(".bin").id;
}

function follow(next) {
  if (!next) return;
  const cell = cellNamed(next);
  (cell?.querySelector(".pick") ?? byId(next)?.querySelector("h2"))?.focus({ preventScroll: false });
}
