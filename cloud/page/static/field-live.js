// What others do at this slide.
import { place } from "./field-page.js";
import { refresh, settled } from "./field-send.js";

const KINDS = new Set(["review", "signed", "waiting"]);

export function live() {
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const { type, data } = event.detail;
    if (!KINDS.has(type)) return;
    event.preventDefault();
    if (type === "waiting") settled();
    else if (JSON.parse(data).number > Number(place().number)) refresh();
  });
}
