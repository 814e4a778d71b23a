// What the browser does by itself: times in the viewer's zone, the colour scheme, the menu on small screens.
"use strict";

(() => {
  // What is done before the page has its connection would arrive late and in any order: till then it cannot be used.
  const patience = 5000, looks = 20, root = document.documentElement;
  const usable = (since) => {
    root.inert = !window.did_handshake && performance.now() - since < patience;
    if (root.inert) setTimeout(usable, looks, since);
  };
  usable(performance.now());

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

  // A page behind others asks for nothing.
  document.addEventListener("visibilitychange", () => window.emitEvent?.("vb-looking", !document.hidden));

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

  // The ground of a map without tiles: meridians and parallels with their degrees, and a scale.
  const spacings = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
  const degrees = (value, step, positive, negative) => {
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    return `${Math.abs(value).toFixed(digits)}° ${value < 0 ? negative : value > 0 ? positive : ""}`.trim();
  };
  const ground = (id) => {
    const map = getElement(id)?.map;
    if (!map) return;
    const drawn = L.layerGroup().addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    const line = (ends, at, label, side) => {
      L.polyline(ends, { className: "vb-degree", interactive: false }).addTo(drawn);
      const icon = L.divIcon({ className: `vb-degree-label ${side}`, html: label, iconSize: null });
      L.marker(at, { icon, interactive: false, keyboard: false }).addTo(drawn);
    };
    const draw = () => {
      drawn.clearLayers();
      const seen = map.getBounds(), { x: width } = map.getSize();
      const [south, west, north, east] = [seen.getSouth(), seen.getWest(), seen.getNorth(), seen.getEast()];
      const step = spacings.find((each) => (east - west) / each >= width / 160) ?? spacings.at(-1);
      const first = (edge) => Math.ceil(edge / step) * step;
      for (let x = first(west); x < east - (east - west) * 0.06; x += step) {
        line([[south, x], [north, x]], [south, x], degrees(x, step, "E", "W"), "vb-below");
      }
      for (let y = first(Math.max(south, -85)); y < Math.min(north, 85); y += step) {
        line([[y, west], [y, east]], [y, east], degrees(y, step, "N", "S"), "vb-beside");
      }
    };
    map.on("moveend", draw);
    draw();
  };

  window.voltbridge = { say, utc, settle, ground };
})();
