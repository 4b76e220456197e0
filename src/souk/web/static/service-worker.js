// VERSION and SHELL stand above: the server writes them. Pages come from the network, always: they show prices, stock
// and what belongs to one person. Kept are only the shell's files, pictures of goods, and the page that says "offline".
const CACHE = `souk-${VERSION}`;
const PICTURES = "souk-pictures";
const MOST_PICTURES = 120;
const OFFLINE = "/offline";

addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([...SHELL, new Request(OFFLINE, { cache: "reload", credentials: "same-origin" })]);
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("souk-") && name !== CACHE && name !== PICTURES) await caches.delete(name);
    await clients.claim();
  })());
});

// The offline page speaks the language that was chosen last.
addEventListener("message", (event) => {
  if (event.data !== "language") return;
  event.waitUntil((async () => {
    const answer = await fetch(OFFLINE, { cache: "reload", credentials: "same-origin" });
    if (answer.ok) await (await caches.open(CACHE)).put(OFFLINE, answer);
  })());
});

const page = async (request) => {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
};
const file = async (request) => (await caches.match(request)) ?? fetch(request);
const picture = async (request) => {
  const cache = await caches.open(PICTURES);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && answer.status === 200) {
    await cache.put(request, answer.clone());
    const keys = await cache.keys();
    for (const old of keys.slice(0, Math.max(0, keys.length - MOST_PICTURES))) await cache.delete(old);
  }
  return answer;
};

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (url.pathname.startsWith("/media/") && request.destination === "image") event.respondWith(picture(request));
});
