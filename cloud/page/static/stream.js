// Whether the page is live: a stream that falls silent is said, and that it is back.
"use strict";

(() => {
  const SILENCE_MS = 15000; // the server sends a beat every 5 s
  const notice = document.getElementById("stream");
  let heard = Date.now();

  document.addEventListener("htmx:sseBeforeMessage", hear);
  document.addEventListener("htmx:sseOpen", (event) => {
    hear();
    const source = event.detail.source;
    source.addEventListener("beat", hear);
    source.addEventListener("stale", () => leave(source));
  });
  document.addEventListener("htmx:sseError", lose);
  document.addEventListener("htmx:sseClose", lose);
  setInterval(() => document.querySelector("[sse-connect]") && Date.now() - heard > SILENCE_MS && lose(), 1000);

  // Signed out: loaded again, the door leads to /login.
  function leave(source) {
    source.close();
    location.reload();
  }

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
