// Keeps the shell, and nothing else: styles, scripts, icons and a page that says that there is no
// connection. A page, a picture, an answer of the API is never kept: the phone may be a shared one.
// DIGEST, SHELL and OFFLINE come from /sw.js, see routes/install.py.
"use strict";

const KEPT = `shell-${DIGEST}`;

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  else if (SHELL.includes(new URL(request.url).pathname)) event.respondWith(ours(request));
});

async function keep() {
  const cache = await caches.open(KEPT);
  await cache.addAll(SHELL);
  await cache.add(new Request(OFFLINE, { credentials: "omit", cache: "reload" }));
}

async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
}

async function ours(request) {
  return (await caches.match(request, { cacheName: KEPT })) ?? fetch(request);
}
