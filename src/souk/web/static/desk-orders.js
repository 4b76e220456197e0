// The sheet of packing slips prints itself when asked to.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
