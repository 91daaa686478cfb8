// The live page: where it goes on after a break, what it says of its line, and how much of the log it keeps.
"use strict";
(() => {
  const KEPT = 200;
  const list = document.getElementById("timeline");
  const line = document.getElementById("line");
  const say = (state) => { line.dataset.state = state; line.textContent = line.dataset[state]; };

  // a browser that takes up a broken stream says itself what it has; a new stream has to be told
  htmx.createEventSource = (url) => {
    const at = new URL(url, location.href);
    const newest = list.querySelector(".step");
    if (newest) at.searchParams.set("after", newest.id.replace("event-", ""));
    return new EventSource(at);
  };
  document.addEventListener("htmx:sseOpen", () => say("open"));
  document.addEventListener("htmx:sseError", () => say("cut"));
  document.addEventListener("htmx:sseMessage", () => {
    while (list.children.length > KEPT) list.lastElementChild.remove();
  });
})();
