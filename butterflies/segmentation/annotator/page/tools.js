// Brush, eraser, shapes and filling: what a hand on the stage does to the open mask.

import { announce, preferences } from "./dom.js";
import { colours, union } from "./mask.js";
import { capsule, flood, polygon } from "./shapes.js";

export const LARGEST = 300;
const NEAR = 11; // CSS pixels from the first corner that close a shape
const FREEHAND = 14; // CSS pixels after which a dragged line is a lasso

export class Tools {
  constructor(stage) {
    this.stage = stage;
    this.tool = "brush";
    this.size = preferences.get("size", 30);
    this.tolerance = preferences.get("tolerance", 24);
    this.pressed = preferences.get("pressed", false);
    this.removing = false;
    this.session = null;
    this.changed = () => {}; // the tool, its size or the shape in the making changed
    this.hover = () => {};
  }

  get moves() {
    return this.tool === "pan";
  }

  get brush() {
    return this.tool === "brush" || this.tool === "eraser";
  }

  open(session) {
    Object.assign(this, { session, stroke: null, data: null });
    this.drop();
  }

  pick(tool) {
    if (tool !== this.tool) this.drop();
    this.tool = tool;
    this.changed();
  }

  // Sets size, tolerance, pressed or removing.
  set(name, value) {
    this[name] = value;
    if (name !== "removing") preferences.set(name, value);
    this.changed(name);
  }

  // [ and ]: the size of the brush, or the tolerance of filling.
  grow(step) {
    if (this.tool === "fill") {
      this.set("tolerance", Math.min(128, Math.max(0, this.tolerance + 4 * step)));
    } else {
      const by = Math.max(1, Math.round(this.size * 0.15));
      this.set("size", Math.min(LARGEST, Math.max(1, this.size + by * step)));
    }
  }

  down(at, how) {
    const { session } = this;
    if (!session) return;
    if (this.brush) {
      const value = (this.tool === "eraser") !== how.other ? 0 : 255;
      this.stroke = { value, last: at, box: null };
      this.move([{ ...at, ...how }]);
    } else if (this.tool === "fill") {
      this.fill(at, how);
    } else if (this.tool === "lasso") {
      this.corner(at, how);
    }
  }

  move(places) {
    if (this.stroke) for (const place of places) this.draw(place);
    if (this.dragged) this.follow(places);
  }

  up() {
    if (this.stroke) {
      const { box } = this.stroke;
      this.stroke = null;
      this.session.commit(box);
    }
    if (this.dragged?.alone && this.dragged.way * this.stage.view.scale > FREEHAND) this.close();
    this.dragged = null;
  }

  cancel() {
    if (this.stroke?.box) {
      this.session.history.revert(this.stroke.box);
      this.stage.touch(this.stroke.box);
    }
    this.stroke = null;
    if (this.dragged) this.drop();
  }

  draw(place) {
    const { stroke } = this;
    const size = this.pressed ? this.size * (0.4 + 1.2 * place.pressure) : this.size;
    const box = capsule(this.session.mask, stroke.last, place, size / 2, stroke.value);
    stroke.box = union(stroke.box, box);
    stroke.last = place;
    this.stage.touch(box);
  }

  fill(at, how) {
    const { mask, photo } = this.session;
    const x = Math.floor(at.x);
    const y = Math.floor(at.y);
    if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) return;
    this.data ??= colours(photo);
    this.apply(flood(mask, this.data, x, y, this.tolerance, this.value(how)));
  }

  value(how) {
    return this.removing !== (how.inverse || how.other) ? 0 : 255;
  }

  apply(box) {
    this.stage.touch(box);
    this.session.commit(box);
  }

  // A shape grows by a corner with each click, and by a line with each drag; a single drag is a lasso.
  corner(at, how) {
    const points = this.stage.sketch;
    if (points && this.near(at, points[0]) && points.length > 2) return this.close();
    this.shape = { value: points ? this.shape.value : this.value(how) };
    this.stage.sketch = [...(points ?? []), at];
    this.dragged = { alone: !points, way: 0 };
    this.stage.redraw();
    this.changed();
    return undefined;
  }

  near(a, b) {
    return Math.hypot(a.x - b.x, a.y - b.y) * this.stage.view.scale < NEAR;
  }

  follow(places) {
    const points = this.stage.sketch;
    for (const { x, y } of places) {
      const last = points.at(-1);
      const step = Math.hypot(x - last.x, y - last.y);
      if (step * this.stage.view.scale < 3) continue;
      this.dragged.way += step;
      points.push({ x, y });
    }
    this.stage.redraw();
  }

  twice() {
    if (this.tool === "lasso" && this.stage.sketch?.length > 2) this.close();
  }

  close() {
    const points = this.stage.sketch;
    this.drop();
    if (points) this.apply(polygon(this.session.mask, points, this.shape.value));
  }

  // Takes the last corner away.
  back() {
    this.stage.sketch?.pop();
    if (!this.stage.sketch?.length) this.drop();
    this.stage.redraw();
  }

  drop() {
    if (this.stage.sketch) this.stage.redraw();
    this.stage.sketch = null;
    this.dragged = null;
    this.changed();
  }

  undo() {
    if (this.stage.sketch) return this.back();
    return this.again(this.session?.undo(), "Nothing to undo.");
  }

  redo() {
    return this.again(this.session?.redo(), "Nothing to redo.");
  }

  again(box, nothing) {
    if (box) this.stage.touch(box);
    else announce(nothing);
  }
}
