// Opens and closes the pop-up, moves the focus into it and back, and marks the specimen on the map.

import { calm, el, notice } from "./dom.js";
import { contents } from "./card.js";

const L = globalThis.L;
const PHONE = matchMedia("(max-width: 640px)");

export class Popup {
  constructor(element, site, world, hits) {
    Object.assign(this, { element, site, world, hits });
    this.card = null;
    this.changed = () => {};
    this.ring = el("div", { className: "ring leaflet-zoom-hide", hidden: true });
    world.map.getPane("overlayPane").append(this.ring);
    world.map.on("zoomend viewreset", () => this.mark());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.card) this.close();
    });
  }

  // Opens the pop-up of a row; `then` is "fly" (bring the map there), "reveal" (move the map a little
  // if the pop-up covers the specimen) or "stay".
  async open(row, then = "reveal") {
    this.wanted = row;
    const card = await this.site.card(row);
    if (this.wanted !== row) return;
    this.card = card;
    const go = (other) => this.go(other).catch((error) => notice(error.message));
    const close = el("button", { type: "button", className: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => this.close());
    const body = el("div", { className: "body" }, ...contents(card, this.site, go).filter(Boolean));
    this.element.replaceChildren(close, body);
    this.element.hidden = false;
    document.body.classList.add("opened");
    if (then === "fly") this.flyTo(row);
    await this.mark();
    if (this.card !== card) return;
    if (then === "reveal") this.reveal();
    this.element.querySelector("h2").focus({ preventScroll: true });
    this.changed();
  }

  // Brings the map to another specimen and opens that.
  async go(assetID) {
    const row = await this.site.find(assetID);
    if (row !== null) await this.open(row, "fly");
  }

  close() {
    this.wanted = null;
    this.card = null;
    this.element.hidden = true;
    this.ring.hidden = true;
    document.body.classList.remove("opened");
    this.world.map.getContainer().focus({ preventScroll: true });
    this.changed();
  }

  // Rings the specimen where it is drawn at this zoom.
  async mark() {
    if (!this.card) return;
    await this.hits.prepare();
    if (!this.card) return;
    const { x, y, size } = this.hits.place(this.card.row);
    const width = Math.max(22, size * this.world.scale() * 1.2);
    this.ring.style.width = this.ring.style.height = `${width}px`;
    L.DomUtil.setPosition(this.ring, this.world.map.latLngToLayerPoint(this.world.at(x, y)));
    this.ring.hidden = false;
  }

  flyTo(row) {
    const { x, y } = this.site.placeOf(row);
    const { map } = this.world;
    const zoom = Math.max(map.getZoom(), this.world.info.zoom);
    const away = this.offset().divideBy(2 * this.world.scale(zoom));
    this.world.fly(x + away.x, y + away.y, zoom);
  }

  // The part of the map that the pop-up covers, in CSS pixels.
  offset() {
    const { width, height } = this.element.getBoundingClientRect();
    return PHONE.matches ? L.point(0, height) : L.point(width, 0);
  }

  // Moves the map a little when the pop-up covers its specimen.
  reveal() {
    const { map } = this.world;
    const { x, y, size } = this.hits.place(this.card.row);
    const at = map.latLngToContainerPoint(this.world.at(x, y));
    const free = map.getSize().subtract(this.offset());
    const margin = size * this.world.scale() * 0.6 + 24;
    const dx = Math.max(0, at.x - free.x + margin);
    const dy = Math.max(0, at.y - free.y + margin);
    if (dx || dy) map.panBy([dx, dy], { animate: !calm() });
  }
}
