// The listing editor: saves while the seller types, pictures by drag and drop, previews that follow.
const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const form = document.getElementById("editor");
const state = () => document.getElementById("editor-state");
const PAUSE = 1200;
const AGAIN = 5000;

// Parts of an answer take the places of the elements that have their ids.
function swap(html, ids = null) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  for (const fresh of answer.querySelectorAll("[id]")) {
    const old = document.getElementById(fresh.id);
    const wanted = ids ? ids.includes(fresh.id) : !fresh.parentElement.closest("[id]");
    if (old && wanted) old.replaceWith(document.adoptNode(fresh));
  }
}
const post = (url, body) => fetch(url, {
  method: "POST", body, headers: { "x-csrftoken": csrf(), Accept: "text/html" },
});

let timer;
let dirty = false;
let stale = false;
let running = null;
const say = (text) => {
  const line = Object.assign(document.createElement("p"), { className: "muted", textContent: text });
  state().replaceChildren(line);
};
const later = (wait = PAUSE) => {
  clearTimeout(timer);
  timer = setTimeout(save, wait);
};
const changed = () => {
  if (stale) return;
  dirty = true;
  if (!running) state().querySelector(".bad") || say(form.dataset.unsaved);
  if (form.dataset.autosave) later();
};
function save() {
  if (!running && !stale && dirty) running = send();
}
async function send() {
  dirty = false;
  try {
    const answer = await post(form.dataset.autosave, new URLSearchParams(new FormData(form)));
    stale = answer.status === 409;
    if (answer.ok || stale) swap(await answer.text());
    else throw new TypeError(answer.statusText);
  } catch {
    dirty = true;
    say(form.dataset.offline);
    later(AGAIN);
  } finally {
    running = null;
    if (dirty && !stale) later();
  }
}
if (form) {
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  // The answer to what is being saved makes what the form knows of the listing's state new again.
  form.addEventListener("submit", async (event) => {
    clearTimeout(timer);
    dirty = false;
    if (!running) return;
    event.preventDefault();
    await running;
    clearTimeout(timer);
    if (stale) return;
    // The button may have been drawn anew with the answer.
    const { name, value } = event.submitter ?? {};
    form.requestSubmit([...form.elements].find((each) => each.type === "submit" && each.name === name && each.value === value));
  });
  addEventListener("beforeunload", (event) => { if (dirty || running) event.preventDefault(); });
  // What was typed before this script had come.
  const typed = ({ type, value, defaultValue, checked, defaultChecked }) =>
    (/checkbox|radio/.test(type) ? checked !== defaultChecked : /text|search|date/.test(type) && value !== defaultValue);
  if ([...form.elements].some(typed)) changed();
  // The server makes the table of variants; only its place on the page changes.
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button?.matches("[data-redraw]")) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    body.set("act", button.value);
    const answer = await post(form.action, body);
    swap(await answer.text(), ["variants"]);
    const place = document.getElementById("variants");
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
    if (answer.ok) changed();
  });
}

// Character counts: how much of the room that is shown is used.
const counted = (input) => {
  const most = Number(input.dataset.count);
  const n = [...input.value].length;
  let note = input.parentElement.querySelector(".count-note");
  if (!note) {
    note = Object.assign(document.createElement("span"), { className: "count-note num" });
    input.insertAdjacentElement("afterend", note);
  }
  note.textContent = `${n} / ${most}`;
  note.classList.toggle("over", n > most);
};
document.querySelectorAll("[data-count]").forEach(counted);

// What a search engine and a message would show.
const preview = () => {
  const value = (name) => form.elements[name]?.value.trim() ?? "";
  const put = (key, text) => document.querySelectorAll(`[data-seo-${key}]`).forEach((place) => {
    place.textContent = text;
  });
  const plain = new DOMParser().parseFromString(value("description"), "text/html").body.textContent;
  const words = plain.replace(/\s+/g, " ").trim();
  const short = words.length > 155 ? `${words.slice(0, 155).replace(/\s\S*$/, "")}…` : words;
  const fallback = document.querySelector("[data-seo-text]")?.dataset.fallback ?? "";
  put("title", value("seo_title") || value("title"));
  put("text", value("seo_description") || short || fallback);
  put("slug", value("slug"));
};
form?.addEventListener("input", (event) => {
  if (event.target.dataset.count) counted(event.target);
  preview();
});
if (dirty) preview();

// Species by name: the catalogue's suggestions.
const species = form?.elements.species;
const names = document.getElementById("species-names");
let asked;
species?.addEventListener("input", () => {
  clearTimeout(asked);
  const words = species.value.trim();
  if (words.length < 2) return;
  asked = setTimeout(async () => {
    const answer = await fetch(`/api/v1/species/suggest?prefix=${encodeURIComponent(words)}`);
    if (!answer.ok) return;
    names.replaceChildren(...(await answer.json()).map((hit) => new Option(
      hit.matched, hit.scientific_name)));
  }, 200);
});

// Pictures: parts are drawn by the server again after every change.
const PARTS = ["picture-list", "picture-count", "file-list", "editor-side", "shared-picture"];
let waiting;
let asking = 0;
async function refresh() {
  const mine = asking += 1;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  // An answer that a later one has overtaken shows what is past.
  if (answer.ok && mine === asking) swap(await answer.text(), PARTS);
}
document.addEventListener("souk:uploaded", () => {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 150);
});
document.addEventListener("change", async (event) => {
  const alt = event.target.closest("[data-alt]");
  if (!alt) return;
  const body = new URLSearchParams(new FormData(alt));
  body.set("act", "describe");
  const answer = await post(alt.action, body);
  if (answer.ok) event.target.classList.add("kept");
});
document.addEventListener("submit", async (event) => {
  const alt = event.target.closest("[data-alt]");
  if (!alt) return;
  event.preventDefault();
  const place = [...alt.closest(".pictures").children].indexOf(alt.closest(".picture"));
  const body = new URLSearchParams(new FormData(alt));
  const act = event.submitter?.value ?? "describe";
  body.set("act", act);
  swap(await (await post(alt.action, body)).text(), PARTS);
  moved(act === "earlier" ? place - 1 : act === "later" ? place + 1 : place, act);
});
const moved = (place, act) => {
  const list = document.getElementById("picture-list");
  const item = list.querySelectorAll(".picture")[place];
  const text = list.dataset.moved.replace("#", place + 1);
  document.getElementById("picture-state").textContent = text;
  (item?.querySelector(`[value=${act}]`) ?? item?.querySelector("button:not([value=describe]), input[name=alt]"))?.focus();
};
let dragged;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".picture");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  dragged.classList.add("dragged");
});
document.addEventListener("dragover", (event) => {
  const over = event.target.closest?.(".picture");
  if (!dragged || !over) return;
  event.preventDefault();
  if (over === dragged) return;
  const all = [...over.parentElement.children];
  const after = all.indexOf(dragged) < all.indexOf(over);
  over.insertAdjacentElement(after ? "afterend" : "beforebegin", dragged);
});
document.addEventListener("dragend", async () => {
  if (!dragged) return;
  dragged.classList.remove("dragged");
  const place = [...dragged.parentElement.children].indexOf(dragged);
  const list = document.getElementById("picture-list");
  const body = new URLSearchParams();
  for (const one of list.querySelectorAll(".picture")) body.append("id", one.dataset.id);
  dragged = null;
  swap(await (await post(list.dataset.order, body)).text(), PARTS);
  moved(place, "later");
});
