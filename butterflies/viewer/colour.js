// The control that turns pictures into dots coloured by a column, with its legend.

import { el, number } from "./dom.js";
import { Dots } from "./dots.js";
import { COLOURS, OTHER, QUIET, UNKNOWN } from "./palette.js";
import { paintOf } from "./splat.js";

const LABELS = { genus: "Genus", family: "Family", sex: "Sex" };
const REST = { "*other": "other", "*unknown": "not recorded" };

export class Colour {
  constructor(element, site, world, points) {
    Object.assign(this, { element, site, world });
    this.column = null;
    this.only = null;
    this.changed = () => {};
    world.map.createPane("dots").style.zIndex = 300;
    this.dots = new Dots(world, points);
    this.legend = el("details", { className: "legend", open: innerWidth > 640, hidden: true });
    element.append(this.choices(), this.legend);
    element.hidden = false;
    world.map.on("zoomend", () => this.dim());
  }

  choices() {
    const options = [["", "Pictures"], ...this.site.info.columns.map((c) => [c, LABELS[c] ?? c])];
    const radios = options.map(([value, label]) =>
      el("label", {}, el("input", { type: "radio", name: "colour", value, checked: !value }), el("span", {}, label)),
    );
    const set = el("fieldset", { className: "choices" }, el("legend", {}, "Colour by"), ...radios);
    set.addEventListener("change", (event) => this.set(event.target.value, null));
    return set;
  }

  // Shows a column (none: the pictures), of it only one value when `only` names one.
  async set(column, only) {
    const known = this.site.info.columns.includes(column);
    this.column = known ? column : null;
    this.only = known ? only || null : null;
    for (const radio of this.element.querySelectorAll("input")) {
      radio.checked = radio.value === (this.column ?? "");
    }
    if (this.column) await this.load(this.column);
    this.show();
    this.changed();
  }

  async load(column) {
    const [codes, names] = await Promise.all([this.site.column(column), this.site.names()]);
    if (this.column !== column) return;
    this.codes = codes;
    this.values = names[column];
    if (this.only && !this.groups().some(({ name }) => name === this.only)) this.only = null;
  }

  // Legend entries: the most frequent values, the other ones, those without.
  groups() {
    const shown = this.values.slice(0, COLOURS.length);
    const rest = this.values.slice(COLOURS.length);
    const sum = (values) => values.reduce((total, [, count]) => total + count, 0);
    const groups = shown.map(([name, count], i) => ({ name, label: name, count, colour: COLOURS[i] }));
    if (rest.length) {
      const label = `${number(rest.length)} ${REST["*other"]}`;
      groups.push({ name: "*other", label, count: sum(rest), colour: OTHER, rest: true });
    }
    const unknown = this.codes.length - sum(this.values);
    if (unknown) {
      groups.push({ name: "*unknown", label: REST["*unknown"], count: unknown, colour: UNKNOWN, rest: true });
    }
    return groups;
  }

  nameOf(code) {
    if (code === 0) return "*unknown";
    return code <= COLOURS.length ? this.values[code - 1][0] : "*other";
  }

  show() {
    this.legend.hidden = !this.column;
    this.dim();
    if (!this.column) {
      this.dots.remove();
      return;
    }
    this.dots.show(this.paint());
    if (!this.world.map.hasLayer(this.dots)) this.dots.addTo(this.world.map);
    this.fillLegend();
  }

  paint() {
    const codes = Array.from({ length: this.values.length + 1 }, (_, code) => code);
    const chosen = (code) => !this.only || this.nameOf(code) === this.only;
    const colour = (code) => (code === 0 ? UNKNOWN : (COLOURS[code - 1] ?? OTHER));
    const colours = codes.map((code) => (chosen(code) ? colour(code) : QUIET));
    return paintOf(this.codes, colours, codes.map((code) => !chosen(code) || code === 0 || code > COLOURS.length));
  }

  fillLegend() {
    const title = el("summary", {}, LABELS[this.column] ?? this.column);
    const list = el("ul", { className: this.column === "genus" ? "latin" : "" });
    for (const group of this.groups()) list.append(el("li", {}, this.entry(group)));
    const focused = this.legend.contains(document.activeElement) && document.activeElement.dataset.name;
    this.legend.replaceChildren(title, list);
    if (focused) this.legend.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }

  entry({ name, label, count, colour, rest }) {
    const swatch = el("i", { "aria-hidden": "true" });
    swatch.style.background = colour;
    const pressed = this.only === name;
    const text = el("span", { className: rest ? "rest" : "" }, label);
    const button = el("button", { type: "button", "aria-pressed": String(pressed) }, swatch, text, el("b", {}, number(count)));
    button.dataset.name = name;
    button.className = this.only && !pressed ? "quiet" : "";
    button.addEventListener("click", () => this.set(this.column, pressed ? null : name));
    return button;
  }

  // Pictures step back behind the dots, and come forward again as one zooms in on them.
  dim() {
    const size = this.site.info.picture_px * this.world.scale();
    const share = size < 20 ? 0.14 : size < 44 ? 0.3 : 1;
    this.world.map.getPane("tilePane").style.opacity = this.column ? share : 1;
  }
}
