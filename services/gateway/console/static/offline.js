// What is pressed while the line is down is kept on this device under its command_id, and sent later:
// a service does the same command once, however often it arrives.
"use strict";
(() => {
  const banner = document.getElementById("offline");
  const hall = document.getElementById("hall");
  const KEY = "jianding.unsent";
  const read = () => JSON.parse(localStorage.getItem(KEY) || "[]");
  const write = (unsent) => { localStorage.setItem(KEY, JSON.stringify(unsent)); show(); };
  let sending = false;
  let down = false;

  function show() {
    const count = read().length;
    banner.hidden = count === 0 && !down;
    banner.classList.toggle("waiting", !down && count > 0);
    banner.dataset.count = String(count);
    banner.textContent = (down ? banner.dataset.offline : banner.dataset.waiting) + " " + count;
  }

  async function send(item) {
    const body = new URLSearchParams(item.fields);
    const token = document.querySelector("input[name=csrf_token]");
    if (token) body.set("csrf_token", token.value);
    const answer = await fetch(item.url, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
    if (answer.status >= 500) throw new Error(String(answer.status));
    return answer.text();
  }

  function replace(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("hall");
    if (fresh) { hall.innerHTML = fresh.innerHTML; mark(); }
    for (const old of document.querySelectorAll("main > .problem, main > .done")) old.remove();
    const told = page.querySelectorAll("main > .problem, main > .done");
    for (const message of told) hall.before(message);
  }

  function mark() {
    for (const item of read()) {
      const form = hall.querySelector(`form[action="${item.url}"]`);
      if (form) form.closest("tr").classList.add("row-waits");
    }
  }

  async function drain() {
    if (sending) return;
    sending = true;
    try {
      for (let unsent = read(); unsent.length; unsent = read()) {
        const text = await send(unsent[0]);
        down = false;
        write(read().slice(1));
        replace(text);
      }
      down = false;
    } catch {
      down = true;
    }
    sending = false;
    show();
  }

  hall.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const fields = Object.fromEntries(new FormData(form));
    delete fields.csrf_token;
    fields.occurred_at = new Date().toISOString();
    for (const button of form.closest("tr").querySelectorAll("button")) button.disabled = true;
    form.closest("tr").classList.add("row-waits");
    write([...read(), { url: form.getAttribute("action"), fields }]);
    drain();
  });
  window.addEventListener("online", drain);
  window.addEventListener("offline", () => { down = true; show(); });
  setInterval(() => { if (read().length) drain(); }, 3000);
  mark();
  show();
  drain();
})();
