// "Tell me on this device": the button in the account's menu. What is told is one sentence.
"use strict";

(() => {
  const box = document.querySelector("[data-push]");
  if (!box) return;
  const [button, all, words] = ["push", "push-all", "push-words"].map((id) => document.getElementById(id));
  const READY_MS = 10_000;
  const KEPT = "leukoscope-push"; // whose device this is, so that a browser's own change is mended

  const OFF = "Tell me on this device";
  const ON = "Stop telling me on this device";
  const ABOUT = "You get “A slide needs you.”, and nothing about the slide.";
  const NOT_HERE = "This browser cannot be told. On an iPhone or iPad, put the page on the home screen first and open it there.";
  const DENIED = "This browser does not let the page tell you anything: allow notifications for it in the browser’s settings, then load the page again.";
  const NO_WORKER = "The page’s service worker did not start, so this device cannot be told. Load the page again.";
  const NO_SERVICE = "The browser’s push service did not answer, so nothing was turned on. Try again later.";

  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    say(NOT_HERE);
    return;
  }

  button.hidden = false;
  button.addEventListener("click", () => busy(button.getAttribute("aria-pressed") === "true" ? stop : start));
  all.addEventListener("click", () => busy(stopAll));
  busy(look);

  async function look() {
    const known = await subscription();
    if (!known && localStorage.getItem(KEPT) === box.dataset.push && Notification.permission === "granted") return start();
    const told = known !== null && (await ask("/push/here", { endpoint: known.endpoint })).told;
    if (!told && known) localStorage.removeItem(KEPT);
    show(told);
  }

  async function start() {
    if ((await Notification.requestPermission()) !== "granted") return show(false, DENIED);
    const made = await subscribed((await ask("/push/key")).key);
    if (!made) return show(false, NO_SERVICE);
    await ask("/push/subscribe", made.toJSON());
    localStorage.setItem(KEPT, box.dataset.push);
    show(true);
  }

  async function stop() {
    const known = await subscription();
    localStorage.removeItem(KEPT);
    if (known) {
      await ask("/push/unsubscribe", { endpoint: known.endpoint });
      await known.unsubscribe();
    }
    show(false);
  }

  async function stopAll() {
    localStorage.removeItem(KEPT);
    await ask("/push/unsubscribe", { endpoint: null });
    show(false, "None of your devices is told any more.");
  }

  // --- the browser's side ---

  async function manager() {
    const late = new Promise((_, no) => setTimeout(no, READY_MS, refused(NO_WORKER)));
    return (await Promise.race([navigator.serviceWorker.ready, late])).pushManager;
  }

  async function subscription() {
    return (await manager()).getSubscription();
  }

  async function subscribed(key) {
    const wanted = { userVisibleOnly: true, applicationServerKey: key };
    try {
      return await (await manager()).subscribe(wanted);
    } catch (problem) {
      // An earlier key of the reading room: the browser holds on to it until it is told to let go.
      const old = problem.name === "InvalidStateError" && (await subscription());
      if (!old) return null;
      await old.unsubscribe();
      return (await manager()).subscribe(wanted).catch(() => null);
    }
  }

  // --- the reading room's side ---

  async function ask(path, body) {
    const headers = { Accept: "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) };
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
    const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (answer.ok) return told;
    throw refused(`${told.sentence ?? "The reading room did not take it."} ${told.remedy ?? ""}`.trim(), told.reason);
  }

  function refused(sentence, reason = "") {
    return Object.assign(new Error(sentence), { reason, forPeople: true });
  }

  async function busy(task) {
    button.disabled = true;
    try {
      await task();
    } catch (problem) {
      say(problem.forPeople ? problem.message : "The reading room cannot be reached. Try again.");
      all.hidden = problem.reason !== "push-devices-full";
    } finally {
      button.disabled = false;
    }
  }

  function show(told, sentence = ABOUT) {
    button.setAttribute("aria-pressed", String(told));
    button.querySelector("[data-words]").textContent = told ? ON : OFF;
    all.hidden = true;
    say(sentence);
  }

  function say(sentence) {
    words.textContent = sentence;
  }
})();
