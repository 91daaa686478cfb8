// What every page tells of itself: that what it shows has grown old, and that presses of an exam day still wait
// on this device.
"use strict";
(() => {
  const stale = document.getElementById("stale");
  document.addEventListener("htmx:afterRequest", (event) => {
    if (stale.hidden && !event.detail.successful) {
      stale.querySelector("time").textContent = new Date().toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai" });
    }
    stale.hidden = event.detail.successful;
  });

  const unsent = document.getElementById("unsent");
  if (!unsent) return;
  const count = () => JSON.parse(localStorage.getItem("jianding.unsent." + unsent.dataset.actor) || "[]").length;
  function show() {
    unsent.querySelector("strong").textContent = String(count());
    unsent.hidden = count() === 0 || document.getElementById("hall") !== null; // a hall has a banner of its own
  }
  document.getElementById("leave").addEventListener("submit", (event) => {
    if (count() && !confirm(unsent.dataset.leave)) event.preventDefault();
  });
  window.addEventListener("storage", show);
  show();
})();
