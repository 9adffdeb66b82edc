// Where the photograph lies on the stage. `scale` is CSS pixels a photograph pixel.

const CLOSEST = 48;

export class View {
  constructor() {
    Object.assign(this, { x: 0, y: 0, scale: 1, stage: { width: 1, height: 1 } });
    this.picture = { width: 1, height: 1 };
  }

  // The part of the stage that nothing lies over.
  get free() {
    const { width, height } = this.stage;
    const top = Math.min(64, height / 6);
    const edge = Math.min(24, width / 30);
    return { left: edge, top, width: width - 2 * edge, height: height - top - edge };
  }

  get fitting() {
    const { width, height } = this.free;
    return Math.min(width / this.picture.width, height / this.picture.height);
  }

  fit() {
    const { left, top, width, height } = this.free;
    this.scale = this.fitting;
    this.x = left + (width - this.picture.width * this.scale) / 2;
    this.y = top + (height - this.picture.height * this.scale) / 2;
  }

  // The photograph's place under a place of the stage.
  under({ x, y }) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  over({ x, y }) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }

  // Comes closer by a factor; what lies under `at` (of the stage) stays there.
  zoom(factor, at = { x: this.stage.width / 2, y: this.stage.height / 2 }) {
    const least = Math.min(this.fitting / 2, 1);
    const scale = Math.min(CLOSEST, Math.max(least, this.scale * factor));
    this.x = at.x - ((at.x - this.x) / this.scale) * scale;
    this.y = at.y - ((at.y - this.y) / this.scale) * scale;
    this.scale = scale;
    this.hold();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.hold();
  }

  // Some of the photograph always stays in sight.
  hold() {
    const { stage, picture, scale } = this;
    const margin = 60;
    this.x = Math.min(stage.width - margin, Math.max(margin - picture.width * scale, this.x));
    this.y = Math.min(stage.height - margin, Math.max(margin - picture.height * scale, this.y));
  }
}
