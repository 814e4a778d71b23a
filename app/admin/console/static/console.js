// What the browser does by itself: times in the viewer's zone, the colour scheme, the menu on small screens.
"use strict";

(() => {
  const full = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const short = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];

  const ago = (at) => {
    const seconds = (at.getTime() - Date.now()) / 1000;
    for (const [unit, length] of steps) {
      if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
    }
    return Math.abs(seconds) < 10 ? "now" : relative.format(Math.round(seconds), "second");
  };
  const sameDay = (at) => new Date().toDateString() === at.toDateString();

  /** The text of an instant (RFC 3339) in the viewer's zone; `how` is full, short, clock or ago. */
  const say = (text, how) => {
    const at = new Date(text);
    if (Number.isNaN(at.getTime())) return text || "";
    if (how === "ago") return ago(at);
    if (how === "clock") return clock.format(at);
    if (how === "short") return sameDay(at) ? clock.format(at) : short.format(at);
    return full.format(at);
  };
  const utc = (text) => (text ? text.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC") : "");

  // <vb-time at="2026-01-31T12:00:00Z" how="short">
  class Time extends HTMLElement {
    static get observedAttributes() { return ["at", "how"]; }
    connectedCallback() { this.show(); ticking.add(this); }
    disconnectedCallback() { ticking.delete(this); }
    attributeChangedCallback() { if (this.isConnected) this.show(); }
    show() {
      const at = this.getAttribute("at");
      const text = say(at, this.getAttribute("how"));
      if (this.textContent !== text) this.textContent = text;
      if (at) this.title = utc(at);
    }
  }
  const ticking = new Set();
  customElements.define("vb-time", Time);
  setInterval(() => ticking.forEach((each) => each.getAttribute("how") === "ago" && each.show()), 1000);

  // A button with data-copy puts that text on the clipboard.
  document.addEventListener("click", async (event) => {
    const copying = event.target.closest?.("[data-copy]");
    if (copying) {
      const text = copying.getAttribute("data-copy");
      try { await navigator.clipboard.writeText(text); } catch { fallback(text); }
      copying.classList.add("vb-copied");
      setTimeout(() => copying.classList.remove("vb-copied"), 1500);
    }
    if (event.target.closest?.("[data-vb-menu]")) {
      const open = document.body.classList.toggle("vb-menu-open");
      document.querySelector("[data-vb-menu]")?.setAttribute("aria-expanded", String(open));
    }
    if (event.target.closest?.("[data-vb-scheme]")) scheme(document.body.classList.contains("body--dark") ? "light" : "dark");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.body.classList.remove("vb-menu-open");
  });
  const fallback = (text) => {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  };

  // The scheme of the system, unless this viewer has chosen one.
  const kept = () => { try { return localStorage.getItem("voltbridge-scheme"); } catch { return null; } };
  const scheme = (name) => {
    window.Quasar?.Dark.set(name === "dark");
    try { localStorage.setItem("voltbridge-scheme", name); } catch { /* then only for this page */ }
  };
  const settle = () => {
    const name = kept();
    if (name) window.Quasar?.Dark.set(name === "dark");
  };

  window.voltbridge = { say, utc, settle };
})();
