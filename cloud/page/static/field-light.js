// Brightness and contrast of the view; the picture stays what it is.
import { byId, does, root } from "./field-page.js";
import { onOpen, viewer } from "./field-stage.js";

const sliders = () => ["brightness", "contrast"].map(byId);

export function light() {
  does({ plain });
  for (const slider of sliders()) slider.addEventListener("input", draw);
  onOpen(draw);
  document.addEventListener("click", (event) => close(event.target));
  document.addEventListener("keydown", (event) => event.key === "Escape" && close(null));
}

// Unless what was clicked is inside.
function close(target) {
  const box = root.querySelector(".light[open]");
  if (box && !box.contains(target)) box.open = false;
}

function draw() {
  for (const slider of sliders()) root.querySelector(`output[for="${slider.id}"]`).textContent = `${slider.value} %`;
  const filter = sliders().map((slider) => `${slider.id}(${slider.value}%)`);
  viewer.drawer.canvas.style.filter = filter.join(" ");
}

function plain() {
  for (const slider of sliders()) slider.value = 100;
  draw();
}
