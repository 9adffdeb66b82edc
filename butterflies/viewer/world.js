// The Leaflet map. All coordinates outside this file are world units: pixels of zoom Z, y down.
//
// Leaflet's zoom is Z - log2(world units per CSS pixel). On dense screens a tile of the next zoom is
// drawn at half its size, so the tiles' zoom is Leaflet's plus `sharper`.

import { calm } from "./dom.js";

const L = globalThis.L;

export class World {
  constructor(element, info, coverage) {
    this.info = info;
    this.sharper = devicePixelRatio >= 1.5 ? 1 : 0;
    this.lastTile = coverage.zooms - 1;
    if (info.background) element.style.background = info.background;
    this.minZoom = Math.min(0, this.fitting(element, 1));
    const whole = info.tile_px * 2 ** info.zoom;
    this.map = L.map(element, {
      crs: L.CRS.Simple,
      minZoom: this.minZoom,
      maxZoom: info.zoom + 1,
      zoomControl: false,
      attributionControl: false,
      fadeAnimation: !calm(),
      zoomAnimation: !calm(),
      inertia: !calm(),
      wheelDebounceTime: 30,
      wheelPxPerZoomLevel: 90,
    });
    this.map.on("moveend", () => this.stay());
    L.control.zoom({ position: "bottomright" }).addTo(this.map);
    this.tiles = tileLayer(this, coverage, this.bounds([0, 0, whole, whole])).addTo(this.map);
  }

  at(x, y) {
    return L.latLng(-y / 2 ** this.info.zoom, x / 2 ** this.info.zoom);
  }

  from(latLng) {
    return { x: latLng.lng * 2 ** this.info.zoom, y: -latLng.lat * 2 ** this.info.zoom };
  }

  bounds([left, top, right, bottom]) {
    return L.latLngBounds(this.at(left, top), this.at(right, bottom));
  }

  // CSS pixels per world unit.
  scale(zoom = this.map.getZoom()) {
    return 2 ** (zoom - this.info.zoom);
  }

  // The zoom of the tiles that are shown at a zoom of Leaflet's.
  tileZoom(zoom = this.map.getZoom()) {
    return Math.min(this.lastTile, Math.max(0, Math.round(zoom) + this.sharper));
  }

  // The deepest zoom at which the whole map is in view, but for an edge when there is little room.
  fitting(element, room = 1.25) {
    const [left, top, right, bottom] = this.info.bounds;
    const across = (element.clientWidth * room) / (right - left);
    const down = (element.clientHeight * room) / (bottom - top);
    return Math.floor(this.info.zoom + Math.log2(Math.min(across, down)));
  }

  showAll() {
    const [left, top, right, bottom] = this.info.bounds;
    const zoom = Math.min(this.info.zoom, this.fitting(this.map.getContainer()));
    this.show((left + right) / 2, (top + bottom) / 2, zoom);
  }

  // Brings the map back when nearly all pictures have left the window.
  stay() {
    const [left, top, right, bottom] = this.info.bounds;
    const { x, y } = this.from(this.map.getCenter());
    const room = this.map.getSize().multiplyBy(0.4 / this.scale());
    const near = (value, low, high, more) => Math.min(high + more, Math.max(low - more, value));
    const [nearX, nearY] = [near(x, left, right, room.x), near(y, top, bottom, room.y)];
    const away = Math.hypot(nearX - x, nearY - y) * this.scale();
    if (away > 1) this.map.panTo(this.at(nearX, nearY), { animate: !calm() });
  }

  show(x, y, zoom) {
    this.map.setView(this.at(x, y), Math.round(zoom), { animate: false });
  }

  fly(x, y, zoom) {
    if (calm()) this.show(x, y, zoom);
    else this.map.flyTo(this.at(x, y), Math.round(zoom), { duration: 1.1 });
  }

  view() {
    const { x, y } = this.from(this.map.getCenter());
    return { x: Math.round(x), y: Math.round(y), spread: this.info.zoom - this.map.getZoom() };
  }
}

function tileLayer(world, coverage, bounds) {
  const { info, sharper } = world;
  const Tiles = L.TileLayer.extend({
    getTileUrl({ x, y, z }) {
      return `${info.version}/tiles/${z + sharper}/${x}/${y}${info.suffix}`;
    },
    _tileOnLoad(done, tile) {
      const ready = () => done(null, tile);
      tile.decode().then(ready, ready);
    },
    createTile(coords, done) {
      if (coverage.has(coords.z + sharper, coords.x, coords.y)) {
        const tile = L.TileLayer.prototype.createTile.call(this, coords, done);
        tile.decoding = "sync"; // else a tile may be blank for a frame after it replaced its parent
        return tile;
      }
      const empty = document.createElement("div");
      requestAnimationFrame(() => done(null, empty));
      return empty;
    },
  });
  return new Tiles("", {
    tileSize: info.tile_px / 2 ** sharper,
    minNativeZoom: -sharper,
    maxNativeZoom: world.lastTile - sharper,
    minZoom: world.minZoom,
    maxZoom: info.zoom + 1,
    bounds,
    noWrap: true,
    keepBuffer: 2,
    updateWhenZooming: false,
    updateWhenIdle: false,
  });
}
