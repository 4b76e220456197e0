// A picture that was sent is shown at once.
document.addEventListener("souk:uploaded", () => location.reload());
