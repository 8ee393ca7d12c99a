// Which cell is chosen: by the address, a click, a tap, the arrows.
import { base, byId, cards, chosenCard, chosenCell, does, onChange, root, say, setChosen } from "./field-page.js";
import { goTo, onOpen } from "./field-stage.js";

export function choosing() {
  does({ left: () => step(-1), right: () => step(1) });
  root.addEventListener("click", (event) => {
    const pip = event.target.closest(".pip");
    if (pip) choose(Number(pip.dataset.n));
  });
  addEventListener("hashchange", fromAddress);
  onChange(draw);
  onOpen(() => chosenCell() !== null && goTo(chosenCell()));
  fromAddress();
}

// `#3` is the cell of place 3; `#-1` the last one.
function fromAddress() {
  const asked = Number.parseInt(location.hash.slice(1), 10);
  const n = asked < 0 ? cards().length + asked : asked;
  if (n in cards()) choose(n);
  else draw();
}

export function choose(n, { go = true } = {}) {
  history.replaceState(null, "", `#${n}`);
  setChosen(n);
  if (go) goTo(n);
}

function step(by) {
  const to = chosenCell() === null ? (by > 0 ? 0 : cards().length - 1) : chosenCell() + by;
  if (to in cards()) return choose(to);
  const next = byId(by > 0 ? "after" : "before");
  if (next) location.assign(`${next.href}#${by > 0 ? 0 : -1}`);
  else say(by > 0 ? "This is the slide's last field." : "This is the slide's first field.");
}

function draw() {
  root.dataset.mode = byId("cells").dataset.mode;
  for (const card of cards()) card.hidden = Number(card.dataset.n) !== chosenCell();
  for (const pip of root.querySelectorAll(".pip")) mark(pip, Number(pip.dataset.n) === chosenCell());
  const card = chosenCard();
  byId("at").textContent = card ? `Cell ${chosenCell() + 1} of ${cards().length}: ${card.dataset.label}` : "No cell is chosen";
  byId("back").href = card ? `${base}#${card.dataset.inGallery}` : base;
}

function mark(pip, on) {
  if (on && pip.getAttribute("aria-pressed") !== "true") pip.scrollIntoView({ block: "nearest", inline: "nearest" });
  pip.setAttribute("aria-pressed", String(on));
}
