// What the open photograph shows, from where to start, how the mask is shown, and what to do next.

import { button, el, element, number, preferences } from "./dom.js";
import { JUDGED } from "./strip.js";
import { COLOURS } from "./tint.js";

const METHODS = { hand: "drawn by hand", contrast: "by contrast", prediction: "predicted", corrected: "corrected" };
const LOOKS = [["overlay", "Overlay"], ["outline", "Outline"], ["cutout", "Cut-out"], ["photograph", "None"]];

export class Panel {
  constructor(page) {
    this.page = page;
    element("show").append(this.looks(), this.swatches());
    this.actions();
    this.render();
  }

  looks() {
    const { look } = this.page.stage;
    return el("div", { className: "choices" }, ...LOOKS.map(([value, text]) => el("label", {},
      el("input", { type: "radio", name: "shown", value, checked: look.shown === value, onchange: () => this.page.look({ shown: value }) }),
      el("span", {}, text))));
  }

  swatches() {
    const one = (value, text) => {
      const input = el("input", {
        type: "radio", name: "colour", value, checked: preferences.get("colour", "auto") === value, "aria-label": text,
        onchange: () => this.page.look({ colour: value }),
      });
      const spot = el("i", { title: text });
      if (COLOURS[value]) spot.style.background = `rgb(${COLOURS[value].join(" ")})`;
      else spot.textContent = "Auto";
      return el("label", {}, input, spot);
    };
    return el("div", { className: "swatches", role: "group", "aria-label": "Overlay colour" },
      one("auto", "The colour that is seen best on this photograph"), ...Object.keys(COLOURS).map((name) => one(name, name)));
  }

  actions() {
    const { page } = this;
    const key = (text) => el("kbd", { "aria-hidden": "true" }, text);
    const act = (text, shown, run, className) =>
      el("button", { type: "button", className, onclick: run, "aria-label": text, "aria-keyshortcuts": shown }, text, key(shown));
    this.previous = act("Previous", "P", () => page.previous(), "plain");
    this.skip = act("Skip", "N", () => page.next(), "plain");
    this.save = act("Save and next", "S", () => page.save(), "primary");
    element("actions").replaceChildren(this.previous, this.skip, this.save);
  }

  render() {
    const { session } = this.page;
    for (const id of ["start", "show", "judge", "actions"]) element(id).disabled = !session;
    for (const node of [this.skip, this.save]) node.disabled = !session;
    this.previous.disabled = !this.page.visited.length;
    element("specimen").replaceChildren(...(session ? this.facts(session) : [el("p", { className: "soft" }, "No photograph is open.")]));
    this.starts(session);
    this.judgements(session);
    for (const input of element("show").querySelectorAll("input[name=shown]")) {
      input.checked = input.value === this.page.stage.look.shown;
    }
  }

  facts({ item, found }) {
    const named = item.name || item.genus;
    const size = `${number(item.width)} × ${number(item.height)} px`;
    const facts = [item.background && `${item.background} background`, size,
      typeof item.score === "number" && `uncertainty ${item.score.toFixed(2)}`];
    const how = item.mask && (METHODS[item.method] ?? item.method);
    const marks = [item.judgement && JUDGED[item.judgement], item.mask && ["mask", how].filter(Boolean).join(" "),
      ["draft", "unsent"].includes(found) && "draft"].filter(Boolean);
    return [
      el("h2", { className: named ? "latin" : "" }, named || item.assetID),
      el("p", { className: "soft" }, facts.filter(Boolean).join(" · ")),
      marks.length ? el("p", { className: "marks" }, ...marks.map((mark) => el("span", {}, mark))) : null,
      el("p", { className: "quiet" },
        item.draft || found === "unsent" ? button("Discard draft", () => this.page.discard("draft")) : null,
        item.mask ? button("Delete mask", () => this.page.discard("mask")) : null),
    ].filter(Boolean);
  }

  starts(session) {
    const { item } = session ?? {};
    const can = { prediction: item?.prediction, contrast: item?.contrast === true, empty: Boolean(item) };
    const refused = typeof item?.contrast === "string" && item.contrast;
    const named = { prediction: "Prediction", contrast: "Contrast", empty: "Empty" };
    const keys = { prediction: "M", contrast: "C", empty: "Delete" };
    const row = el("div", { className: "row" }, ...Object.entries(named).map(([kind, text]) =>
      button(text, () => this.page.start(kind), { disabled: !can[kind], title: `${text} (${keys[kind]})`, className: "plain" })));
    const grow = button("Grow to edges", () => this.page.grow(), {
      className: "plain wide", disabled: !item, title: "Moves the outline to the picture’s edges near it (G)",
    });
    const why = refused ? el("p", { className: "soft small" }, refused) : null;
    element("start").replaceChildren(...[element("start").firstElementChild, row, why, grow].filter(Boolean));
  }

  judgements(session) {
    const row = el("div", { className: "row" }, ...[["no_specimen", "No specimen here", "X"], ["bad", "Bad photograph", "D"]]
      .map(([value, text, key]) => button(text, () => this.page.judge(value), {
        className: "plain", disabled: !session, title: `${text} (${key})`,
        "aria-pressed": String(session?.item.judgement === value),
      })));
    element("judge").replaceChildren(element("judge").firstElementChild, row);
  }
}
