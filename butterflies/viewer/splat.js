// Dots drawn into pixels by hand: for 150,000 of them many times faster than as many paths.

import { rgb } from "./palette.js";

const LABEL_FROM = 44; // CSS pixels of a picture from which its dot lies below it

const stamps = new Map();

// The dot of a picture `picture` CSS pixels wide, `dense` device pixels per CSS pixel. On large
// pictures it is a small disc below the specimen, like the coloured discs that mark types in a drawer.
export function stampOf(picture, dense) {
  const name = `${picture}/${dense}`;
  if (!stamps.has(name)) {
    const below = picture >= LABEL_FROM;
    const radius = below ? Math.min(8, picture * 0.065) : Math.min(7, Math.max(1.1, picture * 0.28 + 0.6));
    stamps.set(name, stamp(radius * dense, dense, below ? Math.round(picture * 0.42 * dense) : 0));
  }
  return stamps.get(name);
}

const cover = (inside) => Math.min(1, Math.max(0, inside + 0.5));

// A disc with a thin white edge, pixel by pixel: how much of each is covered, and of that, coloured.
function stamp(radius, dense, below) {
  const edge = radius > 2.8 * dense ? dense : 0;
  const reach = Math.ceil(radius + edge + 0.5);
  const parts = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const away = Math.hypot(dx, dy);
      const whole = cover(radius + edge - away);
      if (whole > 0) parts.push({ dx, dy: dy + below, whole, share: cover(radius - away) / whole });
    }
  }
  return { reach: reach + below, parts };
}

// What to paint for a column: the code of each row, the colour of each code, and which codes lie
// below the others.
export function paintOf(codes, colours, quiet) {
  return { codes, colours: colours.map(rgb), quiet: Uint8Array.from(quiet), inks: new Map() };
}

// A stamp in each colour: the pixel's colour in the low bytes, its coverage in the top one.
function inksOf(paint, stamp) {
  if (!paint.inks.has(stamp)) {
    const ink = ([red, green, blue]) =>
      Uint32Array.from(stamp.parts, ({ whole, share }) => {
        const mix = (value) => Math.round(255 + (value - 255) * share);
        return ((Math.round(whole * 255) << 24) | (mix(blue) << 16) | (mix(green) << 8) | mix(red)) >>> 0;
      });
    paint.inks.set(stamp, paint.colours.map(ink));
  }
  return paint.inks.get(stamp);
}

// Draws the dots of `spots` ({ rows, px, py }, device pixels) into a canvas.
export function draw(canvas, spots, stamp, paint) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const inks = inksOf(paint, stamp);
  const dx = Int16Array.from(stamp.parts, (part) => part.dx);
  const dy = Int16Array.from(stamp.parts, (part) => part.dy);
  for (let layer = 1; layer >= 0; layer--) {
    for (let i = 0; i < spots.rows.length; i++) {
      const code = paint.codes[spots.rows[i]];
      if (paint.quiet[code] !== layer) continue;
      const ink = inks[code];
      for (let part = 0; part < ink.length; part++) {
        const x = spots.px[i] + dx[part];
        const y = spots.py[i] + dy[part];
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        const at = y * width + x;
        const above = ink[part];
        pixels[at] = above >>> 24 === 255 || pixels[at] === 0 ? above : over(above, pixels[at]);
      }
    }
  }
  context.putImageData(image, 0, 0);
}

// One colour over another, both with straight alpha.
function over(above, under) {
  const a = above >>> 24;
  const b = ((under >>> 24) * (255 - a)) / 255;
  const alpha = a + b;
  const mix = (shift) => Math.round((((above >>> shift) & 255) * a + ((under >>> shift) & 255) * b) / alpha);
  return ((Math.round(alpha) << 24) | (mix(16) << 16) | (mix(8) << 8) | mix(0)) >>> 0;
}
