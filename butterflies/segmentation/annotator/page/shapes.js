// Shapes drawn into a mask without soft edges. Places are in pixels of the mask, the centre of the
// first pixel at (0.5, 0.5). Each gives the rectangle that it may have changed.

import { clipped, union } from "./mask.js";

// A stroke of a round brush from a to b: all pixels whose centres are at most `radius` from the line,
// and those that the line itself crosses, so that the thinnest brush leaves no gap.
export function capsule(mask, a, b, radius, value) {
  const box = clipped({
    left: Math.min(a.x, b.x) - radius - 1,
    top: Math.min(a.y, b.y) - radius - 1,
    right: Math.max(a.x, b.x) + radius + 1,
    bottom: Math.max(a.y, b.y) + radius + 1,
  }, mask);
  if (!box) return null;
  const side = sides(a, b, radius);
  for (let y = box.top; y < box.bottom; y++) {
    const reach = [Infinity, -Infinity];
    disc(reach, a, radius, y + 0.5);
    disc(reach, b, radius, y + 0.5);
    for (const [from, to] of side) crossing(reach, from, to, y + 0.5);
    mask.span(y, reach[0], reach[1], value);
  }
  line(mask, a, b, value);
  return box;
}

// The four sides of the band between the two round ends.
function sides(a, b, radius) {
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  if (!length) return [];
  const x = (-(b.y - a.y) / length) * radius;
  const y = ((b.x - a.x) / length) * radius;
  const corners = [[a, 1], [b, 1], [b, -1], [a, -1]].map(([p, s]) => ({ x: p.x + s * x, y: p.y + s * y }));
  return corners.map((corner, i) => [corner, corners[(i + 1) % 4]]);
}

function widen(reach, x) {
  if (x < reach[0]) reach[0] = x;
  if (x > reach[1]) reach[1] = x;
}

function disc(reach, centre, radius, y) {
  const half = radius * radius - (y - centre.y) ** 2;
  if (half < 0) return;
  widen(reach, centre.x - Math.sqrt(half));
  widen(reach, centre.x + Math.sqrt(half));
}

function crossing(reach, from, to, y) {
  if (from.y > y === to.y > y) return;
  widen(reach, from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
}

function line(mask, a, b, value) {
  const steps = Math.ceil(Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y), 1));
  for (let i = 0; i <= steps; i++) {
    const t = i / steps;
    mask.dot(Math.floor(a.x + t * (b.x - a.x)), Math.floor(a.y + t * (b.y - a.y)), value);
  }
}

// All that a closed line goes round at least once, however it crosses itself.
export function polygon(mask, points, value) {
  const bounds = points.reduce((box, { x, y }) =>
    union(box, { left: x, top: y, right: x, bottom: y }), null);
  const box = bounds && clipped(bounds, mask);
  if (!box || points.length < 3) return null;
  for (let y = box.top; y < box.bottom; y++) {
    const found = crossings(points, y + 0.5);
    let turns = 0;
    for (let i = 0; i + 1 < found.length; i++) {
      turns += found[i].turn;
      if (turns) mask.span(y, found[i].x, found[i + 1].x, value);
    }
  }
  return box;
}

function crossings(points, y) {
  const found = [];
  for (let i = 0; i < points.length; i++) {
    const from = points[i];
    const to = points[(i + 1) % points.length];
    if (from.y > y === to.y > y) continue;
    const x = from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x);
    found.push({ x, turn: from.y < to.y ? 1 : -1 });
  }
  return found.sort((a, b) => a.x - b.x);
}

// The pixels joined to the one at (x, y) whose colours differ from its by at most `tolerance` in each
// of red, green and blue (0 to 255), row by row.
export function flood(mask, data, x, y, tolerance, value) {
  const { width, height } = mask;
  const seen = new Uint8Array(width * height);
  const [r, g, b] = data.subarray(4 * (y * width + x));
  const alike = (i) =>
    !seen[i] && Math.abs(data[4 * i] - r) <= tolerance && Math.abs(data[4 * i + 1] - g) <= tolerance
    && Math.abs(data[4 * i + 2] - b) <= tolerance;
  const stack = [y * width + x];
  let box = null;
  while (stack.length) {
    const at = stack.pop();
    if (!alike(at)) continue;
    const row = Math.floor(at / width);
    let left = at;
    let right = at;
    while (left > row * width && alike(left - 1)) left--;
    while (right < (row + 1) * width - 1 && alike(right + 1)) right++;
    seen.fill(1, left, right + 1);
    mask.pixels.fill(value, left, right + 1);
    const start = row * width;
    box = union(box, { left: left - start, top: row, right: right - start + 1, bottom: row + 1 });
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      const shift = (next - row) * width;
      for (let i = left; i <= right; i++) {
        if (alike(i + shift) && (i === left || !alike(i + shift - 1))) stack.push(i + shift);
      }
    }
  }
  return box;
}
