// What the chosen cell is called, and undo; into the chain, or into the draft of an amendment.
import * as draft from "./field-draft.js";
import { chosenCard, does, onChange, place, root, say } from "./field-page.js";
import { send, written } from "./field-send.js";

const buttons = () => [...root.querySelectorAll(".field-classes [data-label]")];

export function naming() {
  does({ undo });
  for (const button of buttons()) button.addEventListener("click", () => name(button.dataset.label));
  onChange(draw);
}

function draw() {
  const card = chosenCard();
  for (const button of buttons()) {
    button.disabled = !card;
    button.setAttribute("aria-pressed", String(card?.dataset.label === button.dataset.label));
  }
}

// The label of a key; undefined where it is none.
export const labelOf = (key) => buttons().find((one) => one.getAttribute("aria-keyshortcuts") === key)?.dataset.label;

export async function name(label) {
  const card = chosenCard();
  if (!card) return say("Choose a cell first.");
  if (draft.isOpen()) return draft.change(card.dataset.name, label);
  if (place().mode === "signed") return say("Signed: only to be read. An amendment is begun on the slide's page.");
  if (card.dataset.label === label && !card.dataset.unseen) return say(`It is called ${label} already.`);
  if (written(await send("reclassify", { cells: card.dataset.name, label }))) say(`Called ${label}.`);
}

async function undo() {
  if (draft.isOpen()) return draft.undo();
  if (!Number(place().undo)) return say("There is nothing of yours to undo.");
  if (written(await send("undo", () => ({ entry: place().undo })))) say("Your last step is undone.");
}
