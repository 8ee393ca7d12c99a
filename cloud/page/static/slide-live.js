// What others do at this slide, and what comes of it: taken in without losing one's own selection.
import * as draft from "./slide-draft.js";
import { byId, place, promise } from "./slide-page.js";

const KINDS = new Set(["fields", "review", "signed", "waiting", "readers"]);
let due = 0;

export function live() {
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const { type, data } = event.detail;
    if (!KINDS.has(type)) return;
    event.preventDefault();
    const said = JSON.parse(data);
    if (type === "readers") readers(said);
    else if (type === "fields" || type === "waiting" || said.number > Number(place().number)) refresh(type);
  });
  document.addEventListener("htmx:sseOpen", () => refresh("again")); // what was missed while it was away
}

function readers(names) {
  const words = names.length === 1 ? `${names[0]} is reading this slide, too.` : `${names.join(", ")} are reading this slide, too.`;
  byId("readers").textContent = names.length ? words : "";
}

let opened = false;

function refresh(why) {
  if (why === "again" && !opened) {
    opened = true;
    if (!promise.id()) return; // the page itself is as new
  }
  clearTimeout(due);
  due = setTimeout(draft.refresh, 100);
}
