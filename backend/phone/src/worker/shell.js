/** Keeps the shell of the application, so that it starts without signal. Never an answer of the API. */

const VERSION = '__VERSION__';
const FILES = '__FILES__';
const CACHE = `shell-${VERSION.slice(0, 16)}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) =>
      cache.addAll(
        FILES.map(
          (file) =>
            new Request(file, { cache: file.startsWith("assets/") ? "default" : "reload" }),
        ),
      ),
    ),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("shell-") && name !== CACHE) {
          await caches.delete(name);
        }
      }
      await self.clients.claim();
    })(),
  );
});

// A new version takes over only when the person agrees.
self.addEventListener("message", (event) => {
  if (event.data === "take-over") {
    self.skipWaiting();
  }
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const scope = new URL(self.registration.scope);
  const mine = url.origin === scope.origin && url.pathname.startsWith(scope.pathname);
  if (event.request.method !== "GET" || !mine) {
    return;
  }
  event.respondWith(
    (async () => {
      const cache = await caches.open(CACHE);
      const wanted =
        event.request.mode === "navigate" ? new URL("index.html", scope) : event.request;
      return (await cache.match(wanted)) ?? fetch(event.request);
    })(),
  );
});
