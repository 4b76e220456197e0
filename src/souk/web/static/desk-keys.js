// Keys for the desk. Everything they do can be done with the buttons and links they press; they can be
// switched off in the dialog that lists them (WCAG 2.1.4), and never act while somebody writes.
const OFF = "souk-keys-off";
const stored = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };
const keep = (off) => { try { localStorage.setItem(OFF, off ? "1" : "0"); } catch { /* private window */ } };
let off = stored();

for (const box of document.querySelectorAll("[data-keys-switch]")) {
  box.checked = !off;
  box.addEventListener("change", () => { off = !box.checked; keep(off); });
}

const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];
let at = -1;
const go = (step) => {
  const all = rows();
  if (!all.length) return false;
  at = Math.max(0, Math.min(all.length - 1, at + step));
  all.forEach((row, n) => row.classList.toggle("here", n === at));
  all[at].querySelector("a")?.focus();
  all[at].scrollIntoView({ block: "nearest" });
  return true;
};
document.addEventListener("focusin", ({ target }) => {
  const row = target.closest?.("[data-rows] tbody tr");
  if (!row) return;
  at = rows().indexOf(row);
  rows().forEach((one) => one.classList.toggle("here", one === row));
});

const press = (element) => {
  if (element.matches("input, select, textarea")) element.focus();
  else element.click();
};
// On a list: the row's box is ticked alone, and the act of that name is pressed for it.
const actOnRow = (value) => {
  const row = rows()[at];
  const act = document.querySelector(`form[data-bulk] button[name=act][value=${value}]`);
  const tick = row?.querySelector(".tick");
  if (!act || !tick) return false;
  for (const box of act.form.querySelectorAll("tbody .tick")) box.checked = box === tick;
  act.click();
  return true;
};
const onList = {
  j: () => go(1),
  k: () => go(-1),
  x: () => { const tick = rows()[at]?.querySelector(".tick"); tick?.click(); return Boolean(tick); },
  a: () => actOnRow("accept"),
  p: () => actOnRow("pack"),
  s: () => {
    const link = rows()[at]?.querySelector("a");
    if (link) location.assign(`${link.href}#ship`);
    return Boolean(link);
  },
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog[open]")) return;
  if (off && key !== "?") return;
  const element = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (element) press(element);
  else if (!document.querySelector("[data-rows]") || !onList[key]?.()) return;
  event.preventDefault();
});
