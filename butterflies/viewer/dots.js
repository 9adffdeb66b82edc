// Specimens as coloured dots: a GridLayer whose tiles are canvases painted from the typed arrays.
// Rows are in Morton order, so a tile's specimens are one run of rows; dots of the tiles around
// reach in by their radius.

import { draw, stampOf } from "./splat.js";

const L = globalThis.L;
const TILE = 512;

export const Dots = L.GridLayer.extend({
  options: { tileSize: TILE, keepBuffer: 1, updateWhenZooming: false, updateWhenIdle: false },

  initialize(world, points) {
    L.setOptions(this, { pane: "dots", minZoom: world.minZoom });
    this.world = world;
    this.points = points;
    this.keys = mortonKeys(points);
    this.paint = null;
  },

  // Paints what is on the screen anew, in place.
  show(paint) {
    this.paint = paint;
    for (const { el } of Object.values(this._tiles ?? {})) this.fill(el);
  },

  createTile(coords) {
    const canvas = document.createElement("canvas");
    const dense = Math.min(2, Math.max(1, devicePixelRatio));
    canvas.width = canvas.height = TILE * dense;
    canvas.stamp = stampOf(this.world.info.picture_px * this.world.scale(coords.z), dense);
    canvas.spots = this.spots(coords, canvas.stamp, dense);
    this.fill(canvas);
    return canvas;
  },

  fill(canvas) {
    if (this.paint && canvas.spots.rows.length) draw(canvas, canvas.spots, canvas.stamp, this.paint);
  },

  // The rows whose dots touch a tile, and where in it, in device pixels.
  spots({ x, y, z }, { reach }, dense) {
    const { points } = this;
    const scale = this.world.scale(z);
    const side = TILE / scale;
    const margin = reach / dense / scale;
    const [left, top] = [x * side - margin, y * side - margin];
    const rows = this.within(left, top, left + side + 2 * margin, top + side + 2 * margin, side);
    const px = Int16Array.from(rows, (row) => Math.round((points.x[row] - x * side) * scale * dense));
    const py = Int16Array.from(rows, (row) => Math.round((points.y[row] - y * side) * scale * dense));
    return { rows, px, py };
  },

  // The rows inside a box, looked for in the cells of about `side` that it touches.
  within(left, top, right, bottom, side) {
    const { keys, points } = this;
    const whole = this.world.info.tile_px * 2 ** this.world.info.zoom;
    const cell = 2 ** Math.max(0, Math.floor(Math.log2(Math.min(side, whole))));
    const from = (edge) => Math.max(0, Math.floor(edge / cell));
    const rows = [];
    for (let cy = from(top); cy * cell < Math.min(bottom, whole); cy++) {
      for (let cx = from(left); cx * cell < Math.min(right, whole); cx++) {
        const start = key(cx * cell, cy * cell);
        const end = lower(keys, start + cell * cell);
        for (let row = lower(keys, start); row < end; row++) {
          const x = points.x[row];
          const y = points.y[row];
          if (x >= left && x < right && y >= top && y < bottom) rows.push(row);
        }
      }
    }
    return Uint32Array.from(rows);
  },
});

// Morton keys; up to 52 bits are exact in a double.
export function mortonKeys({ count, x, y }) {
  return Float64Array.from({ length: count }, (_, i) => key(x[i], y[i]));
}

const key = (x, y) => spread(x >>> 16, y >>> 16) * 2 ** 32 + spread(x & 65535, y & 65535);

const spread = (x, y) => (part(x) | (part(y) << 1)) >>> 0;

// A zero bit before each of the lower 16 bits.
function part(bits) {
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}

// The first index whose key is not below `least`.
function lower(keys, least) {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
