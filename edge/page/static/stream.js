// The stream of what the station says: which words of it are shown, and when it has fallen silent.
"use strict";

(() => {
  const SILENCE_MS = 15000; // the station sends a beat every 5 s
  const said = new Map(); // part → the HTML it was sent last
  const notice = document.getElementById("stream");
  let heard = Date.now();

  // What did not change is not swapped: a number being typed, a finger on a button, stay.
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    hear();
    const { type, data } = event.detail;
    const typing = type === "part-slide" && document.getElementById("accession")?.value;
    if (said.get(type) === data || (typing && !data.includes("data-slide"))) event.preventDefault();
    said.set(type, data);
  });

  document.addEventListener("htmx:sseOpen", (event) => {
    hear();
    event.detail.source.addEventListener("beat", hear);
  });
  document.addEventListener("htmx:sseError", lose);
  document.addEventListener("htmx:sseClose", lose);
  setInterval(() => Date.now() - heard > SILENCE_MS && lose(), 1000);

  function hear() {
    heard = Date.now();
    if (!notice.firstElementChild) return;
    notice.replaceChildren();
    document.body.classList.remove("is-old");
  }

  function lose() {
    if (notice.firstElementChild) return;
    notice.append(document.getElementById("stream-lost").content.cloneNode(true));
    document.body.classList.add("is-old");
  }
})();
