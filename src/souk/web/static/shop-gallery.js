// The pictures of a listing: thumbs mark the present one, and a click shows it large.
const { $$, on } = await import(document.querySelector('script[src$="/souk.js"]').src);
for (const gallery of $$("[data-gallery]")) {
  const stage = gallery.querySelector(".gallery-stage");
  const thumbs = $$(".thumbs a", gallery);
  thumbs.forEach((thumb, n) => thumb.addEventListener("click", (event) => {
    event.preventDefault();
    const slide = stage.children[n];
    stage.scrollTo({ left: slide.offsetLeft - stage.offsetLeft });
  }));
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      const n = [...stage.children].indexOf(target);
      thumbs.forEach((thumb, i) => {
        if (i === n) thumb.setAttribute("aria-current", "true");
        else thumb.removeAttribute("aria-current");
      });
    }
  }, { root: stage, threshold: 0.6 });
  [...stage.children].forEach((slide) => seen.observe(slide));
}
on("click", "[data-zoom]", (link, event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.createElement("dialog");
  dialog.className = "dialog dialog-zoom";
  const picture = new Image();
  picture.src = link.href;
  picture.alt = link.querySelector("img").alt;
  const close = Object.assign(document.createElement("button"), { autofocus: true });
  close.append(picture);
  close.addEventListener("click", () => dialog.close());
  dialog.append(close);
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  document.body.append(dialog);
  dialog.showModal();
});
