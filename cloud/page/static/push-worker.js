// Imported by the service worker: shows what a push says, and opens the reading room from it.
// A push holds one sentence. What is shown is written here: nobody else's words appear.
"use strict";

self.addEventListener("push", (event) => {
  const shown = self.registration.showNotification("leukoscope", {
    body: "A slide needs you.",
    tag: "needs-you", // a further one takes its place
    renotify: true,
    icon: "/static/icon-192.png",
  });
  event.waitUntil(shown);
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openRoom());
});

async function openRoom() {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find((page) => new URL(page.url).origin === self.location.origin);
  return open ? open.focus() : self.clients.openWindow("/");
}
