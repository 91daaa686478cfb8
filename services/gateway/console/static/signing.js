// The key of this device: made here, kept by the browser, and never handed out, not even to this page.
"use strict";
(() => {
  const device = document.getElementById("device");
  const says = document.getElementById("device-says");
  const register = document.getElementById("register-key");
  const signer = device.dataset.signer;
  const text = new TextEncoder();

  const spelled = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const asked = (request) => new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });

  async function store(mode) {
    const opening = indexedDB.open("jianding", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    return (await asked(opening)).transaction("keys", mode).objectStore("keys");
  }

  async function pair() {
    const known = await asked((await store("readonly")).get(signer));
    if (known) return known;
    const made = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    await asked((await store("readwrite")).put(made, signer));
    return made;
  }

  async function digest(form) {
    const scan = form.querySelector(".scan").files[0];
    const sheet = `jianding electronic sheet 1\n${form.dataset.sheet}\n${form.elements.score.value}\n`;
    const bytes = scan ? await scan.arrayBuffer() : text.encode(sheet);
    return hex(await crypto.subtle.digest("SHA-256", bytes));
  }

  async function sign(form, keys) {
    const score = String(Number(form.elements.score.value));
    form.elements.score.value = score;
    const of = await digest(form);
    form.elements.sheet_digest.value = of;
    if (!keys) return;
    const said = text.encode(`jianding sheet 1\n${form.dataset.sheet}\n${score}\n${of}\n`);
    form.elements.signature.value = spelled(await crypto.subtle.sign("Ed25519", keys.privateKey, said));
  }

  async function begin() {
    let keys = null;
    let mine = "";
    try {
      keys = await pair();
      mine = spelled(await crypto.subtle.exportKey("raw", keys.publicKey));
    } catch {
      says.textContent = device.dataset.cannot;
      return null;
    }
    const same = mine === device.dataset.registered;
    const state = same ? "registered" : device.dataset.registered ? "other" : "new";
    says.textContent = device.dataset[{ registered: "same", other: "other", new: "none" }[state]];
    device.dataset.state = state;
    register.hidden = same;
    register.elements.public_key.value = mine;
    return same ? keys : null;
  }

  const ready = begin();
  for (const form of document.querySelectorAll("form.score")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      try {
        const keys = await ready;
        if (!keys && !confirm(device.dataset.unsigned)) throw new Error();
        await sign(form, keys);
        form.submit();
      } catch (error) { // the sheet is as it was, and may be sent again
        if (error.message) says.textContent = device.dataset.failed + " " + error.message;
        button.disabled = false;
        form.elements.score.focus();
      }
    });
  }
})();
