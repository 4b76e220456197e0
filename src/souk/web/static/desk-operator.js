// The operator's desk by keyboard, and the category tree by drag. Everything here has a link or a form beside it.
const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const wanted = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("input")) wanted.focus();
  else wanted.click();
});

// A filter that is changed shows its list at once; typed words wait for Enter.
for (const form of document.querySelectorAll(".filters[data-autosubmit]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=date]")) form.requestSubmit();
  });
}

// Categories: drop upon a name to hang below it, on the upper edge to stand before it.
const tree = document.querySelector("[data-tree]");
if (tree) {
  const form = document.querySelector("[data-tree-form]");
  let dragged = null;
  const clear = () => tree.querySelectorAll(".drop-into, .drop-before")
    .forEach((each) => each.classList.remove("drop-into", "drop-before"));
  const place = (event) => {
    const item = event.target.closest("li[data-id]");
    if (!item || !dragged || dragged.contains(item)) return null;
    const box = item.querySelector("a").getBoundingClientRect();
    return { item, before: event.clientY < box.top + box.height * 0.3 };
  };
  tree.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li[data-id]");
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.id);
  });
  tree.addEventListener("dragend", () => { dragged?.classList.remove("dragged"); dragged = null; clear(); });
  tree.addEventListener("dragover", (event) => {
    const to = place(event);
    clear();
    if (!to) return;
    event.preventDefault();
    to.item.classList.add(to.before ? "drop-before" : "drop-into");
  });
  tree.addEventListener("drop", (event) => {
    const to = place(event);
    if (!to) return;
    event.preventDefault();
    form.action = `/admin/catalog/${dragged.dataset.id}/move`;
    form.elements.act.value = to.before ? "before" : "into";
    form.elements.target.value = to.item.dataset.id;
    form.requestSubmit();
  });
}
