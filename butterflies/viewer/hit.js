// What lies under the pointer: representatives first, since they are drawn above the base layer.

const LEAST = 7; // CSS pixels around a speck that still count as it

export class Hits {
  constructor(site, points, world) {
    this.site = site;
    this.points = points;
    this.world = world;
    this.drawn = new Map(); // tile zoom -> representatives
  }

  // Loads what is drawn at the present zoom; call it whenever the zoom has changed.
  async prepare() {
    const zoom = this.world.tileZoom();
    if (!this.drawn.has(zoom)) this.drawn.set(zoom, await this.site.representatives(zoom));
    return this.drawn.get(zoom);
  }

  // The row of the specimen drawn at a place in world units, or null; dots lie above all pictures.
  at(x, y, asDots = false) {
    const above = this.drawn.get(this.world.tileZoom());
    const dot = asDots ? this.base(x, y, 0) : null;
    return dot ?? this.representative(above, x, y) ?? this.base(x, y, this.info.picture_px / 2);
  }

  get info() {
    return this.world.info;
  }

  base(x, y, half) {
    const { points } = this;
    const reach = Math.max(half, LEAST / this.world.scale());
    return nearest(points.count, points.x, points.y, x, y, () => reach);
  }

  representative(above, x, y) {
    if (!above) return null;
    const width = this.unit();
    const found = nearest(above.count, above.x, above.y, x, y, (i) => (above.size[i] * width) / 2);
    return found === null ? null : above.row[found];
  }

  // World units per pixel of the tiles shown.
  unit() {
    return 2 ** (this.info.zoom - this.world.tileZoom());
  }

  // Where a specimen is drawn at the present zoom, and how large, in world units.
  place(row) {
    const above = this.drawn.get(this.world.tileZoom());
    const index = above ? above.row.indexOf(row) : -1;
    if (index >= 0) return { x: above.x[index], y: above.y[index], size: above.size[index] * this.unit() };
    return { x: this.points.x[row], y: this.points.y[row], size: this.info.picture_px };
  }
}

// The nearest of the places whose square of half side reach(i) holds (x, y).
function nearest(count, xs, ys, x, y, reach) {
  let best = null;
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const dx = Math.abs(xs[i] - x);
    const dy = Math.abs(ys[i] - y);
    const away = dx * dx + dy * dy;
    if (away < least && Math.max(dx, dy) <= reach(i)) {
      best = i;
      least = away;
    }
  }
  return best;
}
