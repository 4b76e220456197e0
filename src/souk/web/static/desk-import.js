// A product file on its way, with its share of the whole.
const form = document.querySelector("form[data-send]");
form?.addEventListener("submit", (event) => {
  const file = form.elements.file.files[0];
  if (!file) return;
  event.preventDefault();
  const button = form.querySelector("button");
  const line = document.createElement("p");
  line.className = "muted num";
  line.setAttribute("role", "status");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  bar.setAttribute("aria-label", `${form.dataset.send} ${file.name}`);
  button.disabled = true;
  form.querySelectorAll(".sending").forEach((old) => old.remove());
  const box = Object.assign(document.createElement("div"), { className: "sending stack stack-s" });
  box.append(bar, line);
  form.append(box);
  const failed = () => {
    bar.remove();
    line.className = "error";
    line.textContent = form.dataset.failed;
    button.disabled = false;
  };
  const xhr = new XMLHttpRequest();
  let told = -1;
  xhr.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = total ? loaded / total : 0;
    const tenth = Math.floor(bar.value * 10);
    if (tenth !== told) line.textContent = `${form.dataset.send} ${tenth * 10} %`;
    told = tenth;
  });
  xhr.addEventListener("load", () => {
    if (xhr.status < 400) location.assign(xhr.responseURL);
    else failed();
  });
  xhr.addEventListener("error", failed);
  xhr.open("POST", form.action);
  xhr.setRequestHeader("Accept", "text/html");
  xhr.send(new FormData(form));
});
