// Mouse, pen and fingers on the stage, told apart into drawing, moving the picture and zooming.

const SECOND_FINGER = 250; // ms in which a second finger makes a stroke a pinch

// `hand` draws: down(place, how), move(places), up(), cancel(), hover(place or null).
export class Pointers {
  constructor(canvas, stage, hand) {
    Object.assign(this, { canvas, stage, hand, fingers: new Map() });
    this.doing = null; // "draw" or "pan"
    this.held = false; // space is down
    const on = (name, act) => canvas.addEventListener(name, act, { passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) on(name, (e) => this.up(e));
    on("pointerleave", () => this.hand.hover(null));
    on("wheel", (event) => this.wheel(event));
    on("contextmenu", (event) => event.preventDefault());
    on("dblclick", () => this.hand.twice());
  }

  at(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  down(event) {
    if (!this.stage.photo) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // A pointer that is gone again cannot be kept.
    }
    if (event.pointerType === "pen") this.pen = true;
    if (event.pointerType === "touch") return this.finger(event);
    if (this.doing) return undefined;
    const moving = event.button === 1 || this.held || this.hand.moves;
    this.begin(event, moving ? "pan" : "draw");
    return undefined;
  }

  begin(event, doing) {
    Object.assign(this, { doing, by: event.pointerId, last: this.at(event), since: event.timeStamp });
    this.canvas.classList.toggle("moving", doing === "pan");
    if (doing === "draw") this.hand.down(this.stage.view.under(this.last), how(event));
  }

  // One finger draws, two move and zoom. Where a pen is in use fingers only move the picture, and
  // none does anything (it may be a palm) while the pen draws.
  finger(event) {
    if (this.doing === "draw" && !this.fingers.size) return;
    this.fingers.set(event.pointerId, this.at(event));
    if (this.fingers.size === 1) {
      this.begin(event, this.pen || this.hand.moves ? "pan" : "draw");
    } else if (this.doing === "draw") {
      const early = event.timeStamp - this.since < SECOND_FINGER;
      if (early) this.hand.cancel();
      else this.hand.up();
      this.doing = "pan";
    }
  }

  move(event) {
    const at = this.at(event);
    if (event.pointerType !== "touch") this.hand.hover(at);
    if (this.fingers.has(event.pointerId)) {
      if (this.fingers.size > 1 || this.doing === "pan") return this.pinch(event.pointerId, at);
      this.fingers.set(event.pointerId, at);
    }
    if (event.pointerId !== this.by || !this.doing) return undefined;
    if (this.doing === "pan") {
      this.stage.view.pan(at.x - this.last.x, at.y - this.last.y);
      this.last = at;
      this.stage.redraw();
      return undefined;
    }
    const events = event.getCoalescedEvents?.() ?? [];
    const steps = events.length ? events : [event];
    this.hand.move(steps.map((step) => ({ ...this.stage.view.under(this.at(step)), ...how(step) })));
    return undefined;
  }

  // Moves with the middle of the fingers and zooms with their distance.
  pinch(id, at) {
    const before = spread([...this.fingers.values()]);
    this.fingers.set(id, at);
    const after = spread([...this.fingers.values()]);
    const { view } = this.stage;
    view.pan(after.x - before.x, after.y - before.y);
    if (before.size && after.size) view.zoom(after.size / before.size, after);
    this.stage.redraw();
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.doing === "draw" && event.pointerId === this.by) this.hand.up();
    if (!this.fingers.size && (event.pointerId === this.by || this.doing === "pan")) {
      this.doing = null;
      this.canvas.classList.remove("moving");
    }
  }

  wheel(event) {
    event.preventDefault();
    if (!this.stage.photo) return;
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0018;
    const turn = Math.max(-240, Math.min(240, event.deltaY * lines));
    this.stage.view.zoom(Math.exp(-turn * speed), this.at(event));
    this.stage.redraw();
    this.hand.hover(this.at(event));
  }
}

// The other end of a pen and the right button erase.
const how = (event) => ({
  other: (event.buttons & 34) !== 0,
  inverse: event.altKey,
  pressure: event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 0.5,
});

function spread(places) {
  const [a, b = a] = places;
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, size: Math.hypot(a.x - b.x, a.y - b.y) };
}
