// The tools at the edge of the stage, their options above it, and the ring at the pointer.

import { button, el, element } from "./dom.js";
import { icon } from "./icons.js";
import { LARGEST } from "./tools.js";

const TOOLS = [
  ["brush", "Brush", "B"], ["eraser", "Eraser", "E"], ["lasso", "Polygon and lasso", "L"],
  ["fill", "Fill by colour", "F"], ["pan", "Move", "H"],
];

export class Toolbar {
  constructor(page) {
    Object.assign(this, { page, tools: page.tools, stage: page.stage, at: null });
    this.ring = element("cursor");
    this.fill();
    this.tools.changed = (name) => this.render(name);
    this.tools.hover = (at) => this.hover(at);
    this.stage.moved = () => this.moved();
    this.render();
  }

  fill() {
    const { page, tools } = this;
    const one = (name, title, key, run, more = {}) =>
      el("button", { type: "button", title: `${title} (${key})`, "aria-label": title, "aria-keyshortcuts": key, onclick: run, ...more }, icon(name));
    this.choices = new Map(TOOLS.map(([name, title, key]) =>
      [name, one(name, title, key, () => tools.pick(name), { className: name })]));
    this.undo = one("undo", "Undo", "Z", () => tools.undo());
    this.redo = one("redo", "Redo", "Y", () => tools.redo());
    const gap = () => el("hr", { role: "presentation" });
    this.sheet = one("more", "More", "I", () => this.flip(), { className: "sheet", "aria-expanded": "false" });
    element("tools").replaceChildren(
      ...this.choices.values(), gap(), this.undo, this.redo, gap(),
      one("closer", "Closer", "+", () => page.stage.zoom(1.4), { className: "zoom" }),
      one("farther", "Farther", "−", () => page.stage.zoom(1 / 1.4), { className: "zoom" }),
      one("fit", "Whole photograph", "0", () => page.stage.fit(), { className: "zoom" }), this.sheet,
    );
  }

  // On a phone: opens and closes the panel.
  flip() {
    const open = document.body.classList.toggle("sheet-open");
    this.sheet.setAttribute("aria-expanded", String(open));
  }

  // Shows the tool and its options; after a change of size alone the slider only moves.
  render(name) {
    const { tools, stage } = this;
    for (const [tool, node] of this.choices) node.setAttribute("aria-pressed", String(tool === tools.tool));
    const kind = `${tools.tool} ${Boolean(stage.sketch)} ${Boolean(this.pen)} ${tools.removing}`;
    if (kind !== this.kind) element("options").replaceChildren(...this.options());
    this.kind = kind;
    element("options").hidden = tools.tool === "pan";
    for (const slider of element("options").querySelectorAll("input[type=range]")) this.slid(slider);
    element("canvas").dataset.tool = tools.tool;
    this.hover(this.at);
    if (name === "size") this.tell();
  }

  options() {
    const { tools } = this;
    if (tools.brush) {
      const pressed = el("input", { type: "checkbox", checked: tools.pressed, onchange: (e) => tools.set("pressed", e.target.checked) });
      return [this.slider("size", "Size", 1, LARGEST), this.pen && el("label", {}, pressed, " Pressure")].filter(Boolean);
    }
    const sign = el("div", { className: "pair", role: "group", "aria-label": "What it does" },
      ...[["Add", false], ["Remove", true]].map(([text, removing]) =>
        button(text, () => tools.set("removing", removing), { "aria-pressed": String(tools.removing === removing) })));
    if (tools.tool === "fill") return [sign, this.slider("tolerance", "Tolerance", 0, 128)];
    if (!this.stage.sketch) return [sign, el("span", { className: "soft" }, "Click corners, or drag a line")];
    return [button("Close shape", () => tools.close(), { className: "primary" }),
      button("Corner back", () => tools.back(), { className: "plain" }),
      button("Cancel", () => tools.drop(), { className: "plain" })];
  }

  // Sizes are spaced evenly by their roots: the small ones matter most.
  slider(name, text, least, most) {
    const input = el("input", {
      type: "range", name, min: 0, max: 1, step: 0.001, "aria-label": text,
      oninput: (e) => this.tools.set(name, Math.round(least + (most - least) * e.target.value ** 2)),
    });
    Object.assign(input, { least, most });
    return el("label", {}, `${text} `, input, el("output", {}));
  }

  slid(input) {
    const value = this.tools[input.name];
    const shown = (name) => (name === "size" ? `${value} px` : String(value));
    const { least, most } = input;
    if (Math.round(least + (most - least) * input.value ** 2) !== value) {
      input.value = Math.sqrt((value - least) / (most - least));
    }
    input.setAttribute("aria-valuetext", shown(input.name));
    input.nextElementSibling.textContent = shown(input.name);
  }

  // The ring is as large as the brush; a small brush is a cross, so that it is found.
  hover(at) {
    this.at = at;
    const { tools, stage, ring } = this;
    ring.hidden = !at || !tools.brush || !stage.photo;
    if (ring.hidden) return;
    const size = Math.max(3, tools.size * stage.view.scale);
    ring.classList.toggle("small", size < 8);
    ring.style.width = ring.style.height = `${size}px`;
    ring.style.transform = `translate(${at.x - size / 2}px, ${at.y - size / 2}px)`;
  }

  // The size beside the ring for a moment; in the middle of the stage when the pointer is elsewhere.
  tell() {
    const { stage, ring, tools } = this;
    if (!this.at) this.hover({ x: stage.view.stage.width / 2, y: stage.view.stage.height / 2 });
    ring.querySelector("span").textContent = `${tools.size} px`;
    ring.classList.add("told");
    clearTimeout(this.telling);
    this.telling = setTimeout(() => ring.classList.remove("told"), 900);
  }

  moved() {
    if (!this.stage.photo) return;
    element("zoom").firstElementChild.textContent = `${Math.round(this.stage.view.scale * 100)} %`;
    this.hover(this.at);
  }

  // What can be done now.
  able({ history } = {}) {
    this.undo.disabled = !history?.done.length && !this.stage.sketch;
    this.redo.disabled = !history?.undone.length;
  }

  penned() {
    this.pen = true;
    this.render();
  }
}
