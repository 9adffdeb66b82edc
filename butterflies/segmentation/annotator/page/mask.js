// A mask at the size that is edited: one byte a pixel, 0 or 255.

export class Mask {
  constructor(width, height) {
    Object.assign(this, { width, height, pixels: new Uint8Array(width * height) });
  }

  get whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  get empty() {
    return !this.pixels.includes(255);
  }

  // Pixels of row y whose centres lie between two places.
  span(y, from, to, value) {
    const left = Math.max(0, Math.ceil(from - 0.5));
    const right = Math.min(this.width, Math.floor(to - 0.5) + 1);
    if (left < right) this.pixels.fill(value, y * this.width + left, y * this.width + right);
  }

  dot(x, y, value) {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.pixels[y * this.width + x] = value;
  }
}

// Rectangles hold left and top, and end before right and bottom; null is the empty one.
export function union(a, b) {
  if (!a || !b) return a ?? b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

export function clipped({ left, top, right, bottom }, { width, height }) {
  const found = {
    left: Math.max(0, Math.floor(left)),
    top: Math.max(0, Math.floor(top)),
    right: Math.min(width, Math.ceil(right)),
    bottom: Math.min(height, Math.ceil(bottom)),
  };
  return found.left < found.right && found.top < found.bottom ? found : null;
}

const paper = (width, height) =>
  Object.assign(document.createElement("canvas"), { width, height })
    .getContext("2d", { willReadFrequently: true });

// The mask as a PNG, white on black.
export function encoded(mask) {
  const context = paper(mask.width, mask.height);
  const image = context.createImageData(mask.width, mask.height);
  const words = new Uint32Array(image.data.buffer);
  const { pixels } = mask;
  for (let i = 0; i < pixels.length; i++) words[i] = pixels[i] ? 0xffffffff : 0xff000000;
  context.putImageData(image, 0, 0);
  return new Promise((resolve, reject) => {
    const done = (blob) => (blob ? resolve(blob) : reject(new Error("The mask could not be packed.")));
    context.canvas.toBlob(done, "image/png");
  });
}

// Pixels (0 or 255) of a PNG of any size, at the size that is edited.
export async function decoded(blob, width, height) {
  const picture = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const context = paper(width, height);
  context.imageSmoothingEnabled = picture.width !== width || picture.height !== height;
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[4 * i] > 127 ? 255 : 0;
  return pixels;
}

// The colours of a photograph, four bytes a pixel.
export function colours(photo) {
  const context = paper(photo.width, photo.height);
  context.drawImage(photo, 0, 0);
  return context.getImageData(0, 0, photo.width, photo.height).data;
}
