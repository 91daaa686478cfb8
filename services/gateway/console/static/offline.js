// What is pressed while the line is down is kept on this device under its command_id, and sent later:
// a service does the same command once, however often it arrives. An item goes from the queue only when the
// service has said that it is done or refused; what was refused stays to be seen until somebody has seen it.
// Each who logs in at this device has a queue of his own: nobody sends what another has pressed.
"use strict";
(() => {
  const banner = document.getElementById("offline");
  const refused = document.getElementById("refused");
  const hall = document.getElementById("hall");
  const KEY = "jianding.unsent." + hall.dataset.actor;
  const REFUSED = "jianding.refused." + hall.dataset.actor;
  const read = (key) => JSON.parse(localStorage.getItem(key) || "[]");
  const write = (key, list) => { localStorage.setItem(key, JSON.stringify(list)); show(); };
  let sending = false;
  let halted = ""; // "offline": the line or a service is down; "login": nobody is logged in

  function show() {
    const count = read(KEY).length;
    banner.hidden = count === 0 && !halted;
    banner.classList.toggle("waiting", !halted && count > 0);
    banner.dataset.count = String(count);
    banner.textContent = banner.dataset[halted || "waiting"] + " " + count;
    const told = read(REFUSED);
    refused.hidden = told.length === 0;
    refused.querySelector("ul").replaceChildren(...told.map((item) => {
      const line = document.createElement("li");
      line.textContent = item.about + "：" + item.why;
      return line;
    }));
  }

  const token = () => (hall.querySelector("input[name=csrf_token]") || document.querySelector("input[name=csrf_token]"));

  const TOLD = "main > .problem:not(#refused), main > .done";
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

  async function ask(item) {
    const body = new URLSearchParams(item.fields);
    if (token()) body.set("csrf_token", token().value);
    return fetch(item.url, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  }

  // The page again, with a token that holds; whoever has to log in is sent elsewhere.
  async function renew() {
    const answer = await fetch(location.href);
    if (ended(answer) || !answer.ok) return answer;
    const page = parsed(await answer.text());
    for (const field of document.querySelectorAll("input[name=csrf_token]")) {
      field.value = page.querySelector("input[name=csrf_token]").value;
    }
    return answer;
  }

  const ended = (answer) => answer.status === 401 || new URL(answer.url).pathname === hall.dataset.login;

  async function send(item) {
    let answer = await ask(item);
    if (answer.status === 403) { // perhaps the page is older than the session
      const again = await renew();
      if (ended(again)) return again;
      if (again.ok) answer = await ask(item);
    }
    return answer;
  }

  const waits = (row) => read(KEY).some((item) => row.querySelector(`form[action="${item.url}"]`));
  const says = (row) => [...row.cells].filter((cell) => !cell.matches(".buttons")).map((cell) => cell.textContent).join();

  // A row is drawn anew where it says something else, or was pressed. All others keep ticks, focus, and the
  // command_id that they were drawn with: what is pressed in them is the same command as a moment ago.
  function merge(page, pressed) {
    const fresh = page.getElementById("hall");
    if (!fresh) return;
    const rows = [...fresh.querySelectorAll("tr[id]")];
    const known = [...hall.querySelectorAll("tr[id]")];
    if (rows.map((row) => row.id).join() !== known.map((row) => row.id).join()) {
      hall.innerHTML = fresh.innerHTML;
      htmx.process(hall);
    } else {
      rows.forEach((row, place) => {
        const old = known[place];
        const done = pressed && old.querySelector(`form[action="${pressed}"]`);
        if (waits(old) || !(done || says(row) !== says(old))) return;
        const here = old.contains(document.activeElement);
        old.replaceWith(row);
        htmx.process(row);
        if (here) row.querySelector("input:not([type=hidden]), button")?.focus();
      });
    }
    mark();
  }

  function replace(page, pressed) {
    merge(page, pressed);
    for (const old of document.querySelectorAll(TOLD)) old.remove();
    for (const message of page.querySelectorAll(TOLD)) hall.before(message);
  }

  function reason(page, answer) {
    const told = page.querySelector(TOLD);
    return told ? told.textContent.trim().replace(/\s+/g, " ") : String(answer.status);
  }

  function mark() {
    for (const item of read(KEY)) {
      const form = hall.querySelector(`form[action="${item.url}"]`);
      if (form) form.closest("tr").classList.add("row-waits");
    }
  }

  async function drain() {
    if (sending) return;
    sending = true;
    try {
      for (let unsent = read(KEY); unsent.length; unsent = read(KEY)) {
        const item = unsent[0];
        const answer = await send(item);
        if (ended(answer)) { halted = "login"; break; }
        if (answer.status === 429 || answer.status >= 500) { halted = "offline"; break; }
        halted = "";
        const page = parsed(await answer.text());
        if (!answer.ok) write(REFUSED, [...read(REFUSED), { about: item.about, why: reason(page, answer) }]);
        write(KEY, read(KEY).slice(1)); // first, or its row would be drawn as one that waits
        replace(page, item.url);
      }
      if (!read(KEY).length) halted = "";
    } catch {
      halted = "offline";
    }
    sending = false;
    show();
  }

  // What others have pressed in this room. Nobody is told where it cannot be asked: nothing of ours is lost.
  async function follow() {
    if (sending || document.hidden || read(KEY).length) return;
    try {
      const answer = await fetch(location.href);
      if (ended(answer) || !answer.ok) return;
      const page = parsed(await answer.text());
      if (!sending && !read(KEY).length) merge(page);
    } catch {
      // the line is down; the next press says so
    }
  }

  // Who sits there is asked for by htmx, stands beside the table, and goes with the next press.
  const looks = (element) => element.matches("form[hx-post]");
  const person = (text) => { document.getElementById("person").textContent = text; };
  for (const failed of ["htmx:sendError", "htmx:responseError"]) {
    hall.addEventListener(failed, () => person(hall.dataset.unlooked));
  }

  hall.addEventListener("submit", (event) => {
    if (looks(event.target)) return;
    event.preventDefault();
    person("");
    const form = event.target;
    const row = form.closest("tr");
    const fields = Object.fromEntries(new FormData(form));
    delete fields.csrf_token;
    fields.occurred_at = new Date().toISOString();
    const about = row.cells[0].textContent.trim() + " " + event.submitter.textContent.trim();
    for (const button of row.querySelectorAll("button")) button.disabled = true;
    row.classList.add("row-waits");
    write(KEY, [...read(KEY), { url: form.getAttribute("action"), fields, about }]);
    drain();
  });
  refused.querySelector("button").addEventListener("click", () => write(REFUSED, []));
  window.addEventListener("beforeunload", (event) => { if (halted && read(KEY).length) event.preventDefault(); });
  window.addEventListener("online", drain);
  window.addEventListener("offline", () => { halted = "offline"; show(); });
  setInterval(() => { if (read(KEY).length) drain(); else follow(); }, 3000);
  mark();
  show();
  drain();
})();
