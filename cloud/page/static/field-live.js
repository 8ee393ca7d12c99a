// What others do at this slide.
import { byId, place } from "./field-page.js";
import { refresh } from "./field-send.js";

const KINDS = new Set(["review", "signed", "waiting"]);

export function live() {
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const { type, data } = event.detail;
    if (!KINDS.has(type)) return;
    event.preventDefault();
    if (type === "waiting") byId("error").replaceChildren(); // it was written, or the slide's page says why not
    if (type === "waiting" || JSON.parse(data).number > Number(place().number)) refresh();
  });
}
