// Draws the photograph, the mask and what is being drawn, when something changed and only there.

import { union } from "./mask.js";
import { COLOURS, Tint } from "./tint.js";
import { View } from "./view.js";

const PIXELS = 4; // screen pixels a photograph pixel from which pixels are shown as squares

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.view = new View();
    this.look = { shown: "overlay", colour: "magenta" };
    this.sketch = null; // corners of a shape in the making, in photograph pixels
    this.changed = null;
    this.moved = () => {};
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    const fitted = Math.abs(this.view.scale - this.view.fitting) < 1e-6;
    this.density = globalThis.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.density);
    this.canvas.height = Math.round(height * this.density);
    this.view.stage = { width, height };
    if (this.photo && fitted) this.view.fit();
    this.redraw();
  }

  show(photo, mask) {
    Object.assign(this, { photo, mask, tint: new Tint(mask), sketch: null });
    this.view.picture = { width: mask.width, height: mask.height };
    this.view.fit();
    this.redraw();
  }

  clear() {
    Object.assign(this, { photo: null, mask: null, tint: null, sketch: null });
    this.redraw();
  }

  zoom(factor) {
    this.view.zoom(factor);
    this.redraw();
  }

  fit() {
    this.view.fit();
    this.redraw();
  }

  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.redraw();
  }

  // The mask changed in this rectangle.
  touch(box) {
    if (!box || !this.tint) return;
    this.changed = union(this.changed, box);
    this.later();
  }

  redraw() {
    this.all = true;
    this.moved();
    this.later();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    const { context, view, density, photo } = this;
    const close = view.scale * density >= PIXELS;
    if (photo) this.tint.dress(this.look.shown, this.look.colour, close ? 0 : this.line);
    const box = this.changed && this.tint.paint(this.changed);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.save();
    if (!this.all && box) this.clip(box);
    context.fillStyle = "#dedad1";
    context.fillRect(0, 0, view.stage.width, view.stage.height);
    if (photo) this.picture(close);
    context.restore();
    if (photo && this.sketch) this.outlined();
    this.all = false;
    this.changed = null;
  }

  // Pixels of the mask that make a line of about one and a half CSS pixels.
  get line() {
    return Math.max(1, Math.min(6, Math.round(1.5 / this.view.scale)));
  }

  // Only a part of the stage is drawn anew; whole pixels of the screen, so that no seam is left.
  clip({ left, top, right, bottom }) {
    const from = this.view.over({ x: left, y: top });
    const to = this.view.over({ x: right, y: bottom });
    const x = Math.floor(from.x) - 3;
    const y = Math.floor(from.y) - 3;
    this.context.beginPath();
    this.context.rect(x, y, Math.ceil(to.x) + 3 - x, Math.ceil(to.y) + 3 - y);
    this.context.clip();
  }

  picture(close) {
    const { context, view, density, photo, mask, look } = this;
    context.setTransform(view.scale * density, 0, 0, view.scale * density, view.x * density, view.y * density);
    context.imageSmoothingEnabled = !close;
    context.imageSmoothingQuality = "medium";
    context.drawImage(photo, 0, 0, mask.width, mask.height);
    context.imageSmoothingEnabled = view.scale * density < 1;
    if (look.shown !== "photograph") context.drawImage(this.tint.canvas, 0, 0);
    if (close && (look.shown === "overlay" || look.shown === "outline")) this.edges();
  }

  // The outline between the squares, a line of even width at any zoom.
  edges() {
    const { context, view, mask } = this;
    const { pixels, width, height } = mask;
    const from = view.under({ x: 0, y: 0 });
    const to = view.under({ x: view.stage.width, y: view.stage.height });
    const left = Math.max(0, Math.floor(from.x));
    const right = Math.min(width, Math.ceil(to.x));
    const bottom = Math.min(height, Math.ceil(to.y));
    context.beginPath();
    for (let y = Math.max(0, Math.floor(from.y)); y < bottom; y++) {
      for (let x = left, i = y * width + left; x < right; x++, i++) {
        if (x + 1 < width && pixels[i] !== pixels[i + 1]) stick(context, x + 1, y, x + 1, y + 1);
        if (y + 1 < height && pixels[i] !== pixels[i + width]) stick(context, x, y + 1, x + 1, y + 1);
      }
    }
    this.stroke(`rgb(${COLOURS[this.look.colour].join(" ")})`, view.scale);
  }

  outlined() {
    const { context, view, density, sketch } = this;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.beginPath();
    sketch.map((point) => view.over(point)).forEach(({ x, y }) => context.lineTo(x, y));
    this.stroke("#fff", 1);
    const first = view.over(sketch[0]);
    context.beginPath();
    context.arc(first.x, first.y, 5, 0, 7);
    this.stroke("#fff", 1);
    context.fillStyle = "#fff";
    context.fill();
  }

  // A bright line in a dark one.
  stroke(colour, scale) {
    const { context } = this;
    for (const [style, width] of [["rgb(20 18 16 / 80%)", 3.5], [colour, 1.5]]) {
      context.strokeStyle = style;
      context.lineWidth = width / scale;
      context.lineCap = context.lineJoin = "round";
      context.stroke();
    }
  }
}

function stick(context, x0, y0, x1, y1) {
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
}
