// The mask as a picture to lay over the photograph: its surface, and its outline as a bright line
// inside and a dark one outside, so that it is seen on any wing and any background.

import { clipped } from "./mask.js";

export const SHOWN = ["overlay", "outline", "cutout", "photograph"];

// Far apart, and far from what wings and boards are coloured.
export const COLOURS = {
  magenta: [255, 32, 168], cyan: [0, 200, 255], green: [70, 235, 60], orange: [255, 130, 0],
};

const word = ([r, g, b], alpha) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
const DARK = word([20, 18, 16], 200);
const PAPER = word([255, 255, 255], 255);

export class Tint {
  constructor(mask) {
    this.mask = mask;
    const { width, height } = mask;
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  // What is shown, in which colour; `line` is how many pixels wide either side of the outline is (0
  // leaves it out).
  dress(shown, colour, line) {
    const dressed = [shown, colour, line].join();
    if (dressed === this.dressed) return;
    this.dressed = dressed;
    const rgb = COLOURS[colour];
    this.inside = shown === "overlay" ? word(rgb, 84) : 0;
    this.outside = shown === "cutout" ? PAPER : 0;
    this.line = shown === "overlay" || shown === "outline" ? line : 0;
    this.bright = word(rgb, 255);
    this.paint(this.mask.whole);
  }

  // Paints what changed in a rectangle. Gives the rectangle that looks different now.
  paint(box) {
    const { line } = this;
    const { left, top, right, bottom } = clipped({
      left: box.left - line, top: box.top - line, right: box.right + line, bottom: box.bottom + line,
    }, this.mask);
    const { words, inside, outside, bright } = this;
    const { width, pixels } = this.mask;
    for (let y = top; y < bottom; y++) {
      for (let x = left, i = y * width + left; x < right; x++, i++) {
        const edge = line && this.edge(x, y, i);
        words[i] = pixels[i] ? (edge ? bright : inside) : edge ? DARK : outside;
      }
    }
    this.context.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
    return { left, top, right, bottom };
  }

  // Whether the outline is near a pixel; the border of the photograph is none.
  edge(x, y, i) {
    const { line, mask: { width, height, pixels } } = this;
    const here = pixels[i];
    for (let d = 1; d <= line; d++) {
      if (x >= d && pixels[i - d] !== here) return true;
      if (x + d < width && pixels[i + d] !== here) return true;
      if (y >= d && pixels[i - d * width] !== here) return true;
      if (y + d < height && pixels[i + d * width] !== here) return true;
    }
    return false;
  }
}

// The colour that is farthest from those of a photograph (four bytes a pixel).
export function telling(data) {
  const step = 4 * Math.max(1, Math.floor(data.length / 4 / 4000));
  const contrast = ([r, g, b]) => {
    const far = [];
    for (let i = 0; i < data.length; i += step) {
      far.push(Math.hypot(data[i] - r, data[i + 1] - g, data[i + 2] - b));
    }
    return far.sort((a, b) => a - b)[Math.floor(far.length / 50)];
  };
  const found = Object.entries(COLOURS).map(([name, rgb]) => [contrast(rgb), name]);
  return found.reduce((best, one) => (one[0] > best[0] * 1.15 ? one : best))[1];
}
