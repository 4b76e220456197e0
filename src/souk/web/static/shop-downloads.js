// Downloads with progress that go on where they broke off. Large ones are left to the browser, which needs no memory for them.
const LARGEST = 300_000_000;
const TRIES = 4;

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function get(link, parts, show) {
  let got = parts.reduce((sum, part) => sum + part.length, 0);
  const headers = got ? { Range: `bytes=${got}-` } : {};
  const answer = await fetch(link.href, { headers });
  if (!answer.ok) throw new Error(String(answer.status));
  if (got && answer.status !== 206) { parts.length = 0; got = 0; }
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return answer.headers.get("content-type") ?? "application/octet-stream";
    parts.push(value);
    got += value.length;
    show(got);
  }
}

function save(parts, type, name) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function download(link) {
  const size = Number(link.dataset.size);
  const parts = link.kept ??= [];
  const row = link.closest("li");
  const bar = Object.assign(document.createElement("progress"), { max: size || 1, value: 0 });
  const note = Object.assign(document.createElement("p"), { className: "muted text-s" });
  bar.setAttribute("aria-label", link.dataset.going);
  note.setAttribute("role", "status");
  row.querySelectorAll(".under-way").forEach((old) => old.remove());
  const box = Object.assign(document.createElement("div"), { className: "under-way" });
  box.append(bar, note);
  row.append(box);
  link.setAttribute("aria-disabled", "true");
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        const type = await get(link, parts, (got) => {
          bar.value = got;
          note.textContent = `${Math.round((got / size) * 100)} %`;
        });
        save(parts, type, link.dataset.download);
        break;
      } catch (problem) {
        if (tries === TRIES || /^4\d\d$/.test(problem.message)) throw problem;
        await wait(500 * 2 ** tries);
      }
    }
    link.kept = undefined;
    bar.value = bar.max;
    note.textContent = link.dataset.done;
  } catch (problem) {
    if (/^4\d\d$/.test(problem.message)) { location.assign(link.href); return; }
    bar.remove();
    note.className = "error";
    note.textContent = link.dataset.broken;
  } finally {
    link.removeAttribute("aria-disabled");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-download]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || Number(link.dataset.size) > LARGEST) return;
  event.preventDefault();
  if (link.getAttribute("aria-disabled") !== "true") download(link);
});
