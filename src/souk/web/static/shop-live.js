// What happens while a page is open: the bell counts, a toast says it, marked parts draw themselves anew.
// One tab listens for all tabs of the browser, so that many tabs are one connection.
const { toast } = await import(document.querySelector('script[src$="/souk.js"]').src);
const KEY = "souk-live-after";
const channel = new BroadcastChannel("souk-live");

const count = (unread) => {
  for (const bell of document.querySelectorAll("[data-unread]")) {
    bell.textContent = unread;
    bell.hidden = !unread;
  }
};
const say = ({ title, url }) => {
  if (!title || document.visibilityState !== "visible") return;
  toast(title, "info");
  const text = document.querySelector("#toasts .notice:last-child p");
  if (text && url) text.replaceChildren(Object.assign(document.createElement("a"), { href: url, textContent: title }));
};

// Parts with data-live-region="sales orders any" are fetched again; what somebody is working in stays.
let waiting;
const kinds = new Set();
const draw = async () => {
  const parts = [...document.querySelectorAll("[data-live-region][id]")].filter((part) =>
    part.dataset.liveRegion.split(" ").some((kind) => kind === "any" || kinds.has(kind)));
  kinds.clear();
  if (!parts.length) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const busy = part.contains(document.activeElement) || part.querySelector(".tick:checked, dialog[open]")
      || [...part.querySelectorAll("input:not([type=checkbox], [type=radio]), textarea")].some((field) => field.value !== field.defaultValue);
    const next = fresh.getElementById(part.id);
    if (next && !busy && next.innerHTML !== part.innerHTML) {
      part.replaceChildren(...next.childNodes);
      part.dispatchEvent(new CustomEvent("souk:refreshed", { bubbles: true }));
    }
  }
};
const refresh = (kind) => {
  kinds.add(kind);
  clearTimeout(waiting);
  waiting = setTimeout(draw, 250);
};

const hear = (heard) => {
  if (heard.unread !== undefined) count(heard.unread);
  say(heard);
  refresh(heard.kind);
};
channel.addEventListener("message", (event) => hear(event.data));

const keep = (id) => { if (id) sessionStorage.setItem(KEY, id); };
const listen = () => {
  const source = new EventSource(`/live?after=${sessionStorage.getItem(KEY) ?? ""}`);
  const pass = (heard) => { hear(heard); channel.postMessage(heard); };
  source.addEventListener("here", (event) => keep(event.lastEventId));
  source.addEventListener("signal", (event) => {
    keep(event.lastEventId);
    pass(JSON.parse(event.data));
  });
  source.addEventListener("queues", () => pass({ kind: "queues" }));
  document.documentElement.dataset.live = "1";
  addEventListener("pagehide", () => source.close());
};
// A tab that ends frees the lock, and the next one listens.
if (navigator.locks) navigator.locks.request("souk-live", () => new Promise(listen));
else listen();
addEventListener("pageshow", (event) => event.persisted && location.reload());
