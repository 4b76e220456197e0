// Everything here makes a working page better; no page needs it.
const root = document.documentElement;
root.classList.add("js");
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
export const on = (type, selector, act) => document.addEventListener(type, (event) => {
  const found = event.target.closest?.(selector);
  if (found) act(found, event);
});
export const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

// A theme chosen here is kept in a cookie, so that the server draws the next page right at once.
const setTheme = (theme) => {
  document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax`;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
};
const savedTheme = /(?:^|; )theme=(light|dark)/.exec(document.cookie)?.[1];
if (savedTheme) root.dataset.theme = savedTheme;
on("change", "[data-theme-switch]", (select) => setTheme(select.value));
on("change", "[data-preferences] [name=language]", (select) => select.form.requestSubmit());

export function toast(text, tone = "info") {
  const region = document.getElementById("toasts");
  if (!region) return;
  const box = document.createElement("div");
  box.className = `notice tone-${tone}`;
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  region.append(box);
  fade(box);
}
// Errors stay until they are read; the rest leaves by itself, unless the pointer rests on it.
const fade = (box) => {
  if (box.classList.contains("tone-bad")) return;
  const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : box.remove());
  setTimeout(leave, 6000);
};
$$(".toasts .notice").forEach(fade);
on("click", ".toasts .notice", (box, event) => event.target.closest("a, button") || box.remove());

on("click", "[data-dialog]", (opener, event) => {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog?.showModal) return;
  event.preventDefault();
  dialog.showModal();
});
on("click", "[data-dialog-close]", (link, event) => {
  const dialog = link.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  dialog.close();
});
on("click", "dialog", (dialog, event) => event.target === dialog && dialog.close());

document.addEventListener("click", (event) => {
  for (const menu of $$("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of $$("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

on("click", "[data-step]", (button) => {
  const input = button.parentElement.querySelector("input");
  if (button.dataset.step > 0) input.stepUp();
  else input.stepDown();
  input.dispatchEvent(new Event("change", { bubbles: true }));
});

on("click", "[data-print]", () => print());
on("click", "[data-copy]", async (button) => {
  await navigator.clipboard.writeText(button.dataset.copy);
  toast(button.dataset.done, "good");
});

on("change", "[data-autosubmit] :is(input[type=checkbox], select)", (field) => field.form.requestSubmit());
on("change", "[data-bulk-all]", (all) => {
  for (const box of $$("tbody .tick", all.form)) box.checked = all.checked;
  all.dispatchEvent(new Event("input", { bubbles: true }));
});
on("input", "form[data-bulk] .tick", (box) => {
  const n = $$("tbody .tick:checked", box.form).length;
  const label = box.form.querySelector("[data-bulk-count]");
  label.dataset.idle ??= label.textContent;
  label.textContent = n ? `${n} ✓` : label.dataset.idle;
});
document.querySelector("[data-focus]")?.focus();

// A heart is a button of the form #wish; here the page stays where it is.
on("click", 'button[form="wish"][aria-pressed]', async (button, event) => {
  event.preventDefault();
  const form = button.form;
  const [act, id] = button.value.split(":");
  const body = new URLSearchParams(new FormData(form));
  body.set("wish", button.value);
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } })
    .catch(() => null);
  if (!answer?.ok) { toast(form.dataset.failed, "bad"); return; }
  const kept = act === "add";
  for (const twin of $$(`button[form="wish"][value="${button.value}"]`)) {
    twin.setAttribute("aria-pressed", String(kept));
    twin.value = `${kept ? "drop" : "add"}:${id}`;
  }
});

// A row of links that is wider than the screen begins where the reader is.
for (const row of $$(".desk-nav ul, .site-nav ul, .tabs")) {
  const here = row.scrollWidth > row.clientWidth && row.querySelector("[aria-current]");
  if (!here) continue;
  const [outer, inner] = [row.getBoundingClientRect(), here.getBoundingClientRect()];
  row.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
}

// Combobox after the ARIA pattern: the focus stays in the box, the list is pointed at.
for (const input of $$("input[data-suggest]")) {
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = `${input.id}-list`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.getAttribute("aria-label"));
  input.closest("form").append(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);
  let timer;
  let request;
  let at = -1;
  const options = () => $$("[role=option]", list);
  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) { at = -1; input.removeAttribute("aria-activedescendant"); }
  };
  const point = (n) => {
    const all = options();
    at = (n + all.length) % all.length;
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    input.setAttribute("aria-activedescendant", all[at].id);
    all[at].scrollIntoView({ block: "nearest" });
  };
  const take = (option) => {
    if (option.dataset.url) { location.assign(option.dataset.url); return; }
    input.value = option.dataset.value;
    show(false);
    input.form.requestSubmit();
  };
  const ask = async () => {
    request?.abort();
    request = new AbortController();
    const words = input.value.trim();
    if (words.length < 2) { show(false); return; }
    try {
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(words)}`, {
        signal: request.signal, headers: { Accept: "text/html" } });
      if (!answer.ok) { show(false); return; }
      list.innerHTML = await answer.text();
      show(options().length > 0);
    } catch (problem) {
      if (problem.name !== "AbortError") show(false);
    }
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("blur", () => setTimeout(() => show(false), 150));
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown") point(at + 1);
    else if (event.key === "ArrowUp") point(at < 0 ? -1 : at - 1);
    else if (event.key === "Escape") show(false);
    else if (event.key === "Enter" && at >= 0) take(options()[at]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["x-csrftoken"] = csrf(); });

// What is changed before htmx is there is told to it then.
const early = new Set();
const remember = ({ target }) => target.closest("[hx-trigger]") && early.add(target);
document.addEventListener("change", remember);
function swapping(config) {
  if (!config) return;
  const script = Object.assign(document.createElement("script"), { src: config.dataset.script });
  script.addEventListener("load", () => {
    document.removeEventListener("change", remember);
    early.forEach((field) => field.dispatchEvent(new Event("change", { bubbles: true })));
  });
  document.head.append(script);
}

// What can wait until the page stands: it must not take the line from what is looked at first.
const settled = document.readyState === "complete" ? Promise.resolve()
  : new Promise((done) => addEventListener("load", done, { once: true }));
const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done));
settled.then(idle).then(() => {
  swapping(document.querySelector("[name=htmx-config]"));
  installable();
  $$("[data-later]").forEach(fill);
});

// A part that is not the same for everybody comes after the page, which is.
async function fill(place) {
  const answer = await fetch(place.dataset.later, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.status === 200) place.outerHTML = await answer.text();
}

// Installs the service worker, and tells it when the language changed.
async function installable() {
  if (!("serviceWorker" in navigator && isSecureContext)) return;
  const worker = await navigator.serviceWorker.register("/sw.js", { scope: "/", updateViaCache: "none" });
  if (localStorage.getItem("souk-language") === root.lang) return;
  await navigator.serviceWorker.ready;
  worker.active?.postMessage("language");
  localStorage.setItem("souk-language", root.lang);
}
