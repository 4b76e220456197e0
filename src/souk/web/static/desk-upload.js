// Up to three files travel at once; each row shows its share, or what was wrong and a second try.
const { $$, csrf } = await import(document.querySelector('script[src$="/souk.js"]').src);
const queue = [];
let travelling = 0;
const depart = () => {
  while (travelling < 3 && queue.length) { travelling += 1; queue.shift()(); }
};
function send(zone, input, file) {
  const row = document.createElement("li");
  const name = Object.assign(document.createElement("span"), { textContent: file.name });
  const share = Object.assign(document.createElement("span"), { className: "muted num" });
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  bar.setAttribute("aria-label", file.name);
  zone.querySelector(".uploads").append(row);
  const failed = (text) => {
    share.textContent = "";
    bar.replaceWith(Object.assign(document.createElement("p"), { className: "error", textContent: text || zone.dataset.failed }));
    const again = Object.assign(document.createElement("button"), { type: "button", className: "button secondary small", textContent: zone.dataset.again });
    again.addEventListener("click", start);
    row.append(again);
  };
  const go = () => {
    const xhr = new XMLHttpRequest();
    const done = (act) => () => { travelling -= 1; depart(); act(); };
    xhr.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? loaded / total : 0;
      share.textContent = `${Math.round(bar.value * 100)} %`;
    });
    xhr.addEventListener("load", done(() => {
      if (xhr.status < 300) {
        row.outerHTML = xhr.responseText;
        zone.dispatchEvent(new CustomEvent("souk:uploaded", { bubbles: true }));
        return;
      }
      let problem = {};
      try { problem = JSON.parse(xhr.responseText); } catch { /* a proxy's page says nothing useful */ }
      failed(problem.detail);
    }));
    xhr.addEventListener("error", done(() => failed()));
    xhr.open("POST", zone.dataset.upload);
    xhr.setRequestHeader("x-csrftoken", csrf());
    const body = new FormData();
    body.append(input.name, file);
    xhr.send(body);
  };
  const start = () => { row.replaceChildren(name, share, bar); bar.value = 0; queue.push(go); depart(); };
  start();
}
for (const zone of $$("[data-upload]")) {
  const input = zone.querySelector("input[type=file]");
  const take = (files) => [...files].forEach((file) => send(zone, input, file));
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer.files);
  });
}
