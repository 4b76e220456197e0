// Installs the service worker, and tells it when the language changed.
if ("serviceWorker" in navigator && isSecureContext) {
  const worker = await navigator.serviceWorker.register("/sw.js", { scope: "/", updateViaCache: "none" });
  const { lang } = document.documentElement;
  if (localStorage.getItem("souk-language") !== lang) {
    await navigator.serviceWorker.ready;
    worker.active?.postMessage("language");
    localStorage.setItem("souk-language", lang);
  }
}
