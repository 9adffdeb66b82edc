// Undo and redo. A step holds the pixels that it changed as lengths of runs that stayed and runs that
// changed, in turn, in a rectangle: undoing and redoing both turn those over.

const STEPS = 200;

export class History {
  // `method` says how the mask came about: hand, contrast, prediction or corrected.
  constructor(mask, method) {
    Object.assign(this, { mask, method, done: [], undone: [] });
    this.kept = mask.pixels.slice();
  }

  // Makes what changed in a rectangle since the last step a step; false when nothing did.
  commit(box, method) {
    const runs = box && this.runs(box);
    if (!runs) return false;
    this.done.push({ box, runs, before: this.method, after: method });
    if (this.done.length > STEPS) this.done.shift();
    this.undone = [];
    this.method = method;
    return true;
  }

  // Takes back what changed in a rectangle since the last step.
  revert({ left, top, right, bottom }) {
    for (let y = top; y < bottom; y++) {
      const start = y * this.mask.width;
      this.mask.pixels.set(this.kept.subarray(start + left, start + right), start + left);
    }
  }

  undo() {
    return this.turn(this.done, this.undone, "before");
  }

  redo() {
    return this.turn(this.undone, this.done, "after");
  }

  turn(from, to, method) {
    const step = from.pop();
    if (!step) return null;
    this.flip(step);
    this.method = step[method];
    to.push(step);
    return step.box;
  }

  runs({ left, top, right, bottom }) {
    const { width, pixels } = this.mask;
    const runs = [];
    let length = 0;
    let changed = false;
    for (let y = top; y < bottom; y++) {
      for (let i = y * width + left; i < y * width + right; i++) {
        if ((pixels[i] !== this.kept[i]) !== changed) {
          runs.push(length);
          length = 0;
          changed = !changed;
        }
        length++;
        this.kept[i] = pixels[i];
      }
    }
    if (changed) runs.push(length);
    return runs.length ? Uint32Array.from(runs) : null;
  }

  flip({ box, runs }) {
    const { width, pixels } = this.mask;
    const across = box.right - box.left;
    let at = 0;
    runs.forEach((length, turn) => {
      for (const end = at + length; at < end; at++) {
        if (turn % 2 === 0) continue;
        const i = (box.top + Math.floor(at / across)) * width + box.left + (at % across);
        pixels[i] ^= 255;
        this.kept[i] = pixels[i];
      }
    });
  }
}
