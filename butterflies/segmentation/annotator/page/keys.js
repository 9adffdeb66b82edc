// The keyboard: one table for what keys do and for the dialog that tells of them.

import { ask, el } from "./dom.js";
import { SHOWN } from "./tint.js";

const tool = (name) => (page) => page.tools.pick(name);

// Per group: [keys as the browser names them, as shown, what they do, how].
const GROUPS = [
  ["Tools", [
    [["b"], "B", "Brush", tool("brush")],
    [["e"], "E", "Eraser", tool("eraser")],
    [["l"], "L", "Polygon and lasso", tool("lasso")],
    [["f"], "F", "Fill by colour", tool("fill")],
    [["h"], "H", "Move the photograph", tool("pan")],
    [["["], "[", "Smaller brush, less tolerance", (page) => page.tools.grow(-1)],
    [["]"], "]", "Larger brush, more tolerance", (page) => page.tools.grow(1)],
    [["Escape"], "Esc", "Cancel the shape", (page) => page.tools.drop()],
    [["Backspace"], "⌫", "Take a corner back", (page) => page.stage.sketch && page.tools.back()],
  ]],
  ["Mask", [
    [["z"], "Z", "Undo", (page) => page.tools.undo()],
    [["y", "Z"], "Y", "Redo", (page) => page.tools.redo()],
    [["m"], "M", "Start from the prediction", (page) => page.start("prediction")],
    [["c"], "C", "Start from the contrast mask", (page) => page.start("contrast")],
    [["Delete"], "Del", "Start empty", (page) => page.start("empty")],
    [["g"], "G", "Grow to edges", (page) => page.grow()],
  ]],
  ["View", [
    [["+", "="], "+", "Closer", (page) => page.stage.zoom(1.4)],
    [["-"], "−", "Farther", (page) => page.stage.zoom(1 / 1.4)],
    [["0"], "0", "Whole photograph", (page) => page.stage.fit()],
    [["1"], "1", "Real pixels", (page) => page.stage.zoom(1 / page.stage.view.scale)],
    [["ArrowLeft"], "← → ↑ ↓", "Move", (page) => page.stage.pan(60, 0)],
    [["ArrowRight"], null, null, (page) => page.stage.pan(-60, 0)],
    [["ArrowUp"], null, null, (page) => page.stage.pan(0, 60)],
    [["ArrowDown"], null, null, (page) => page.stage.pan(0, -60)],
    [["v"], "V", "Overlay, outline, cut-out, none", (page) => page.look({ shown: following(page) })],
    [["i"], "I", "Panel, on a phone", () => document.querySelector("#tools .sheet").click()],
  ]],
  ["Photographs", [
    [["s", "Enter"], "S or Enter", "Save and next", (page) => page.save()],
    [["n"], "N", "Skip", (page) => page.next()],
    [["p"], "P", "Previous", (page) => page.previous()],
    [["x"], "X", "No specimen here", (page) => page.judge("no_specimen")],
    [["d"], "D", "Bad photograph", (page) => page.judge("bad")],
    [["?"], "?", "These keys", () => help()],
  ]],
];

const POINTER = [
  ["Zoom", "wheel, or pinch"], ["Move", "Space and drag, middle button, or two fingers"],
  ["Erase", "right button, or the pen’s other end"], ["Alt", "shapes and filling the other way"],
];

const following = ({ stage }) => SHOWN[(SHOWN.indexOf(stage.look.shown) + 1) % SHOWN.length];
const ACTS = new Map(GROUPS.flatMap(([, rows]) => rows.flatMap(([keys, , , run]) => keys.map((key) => [key, run]))));

export function help() {
  const list = (title, rows, tag = "kbd") => el("section", {}, el("h3", {}, title), el("dl", {},
    ...rows.map(([keys, does]) => el("div", {}, el("dt", {}, el(tag, {}, keys)), el("dd", {}, does)))));
  const groups = GROUPS.map(([title, rows]) =>
    list(title, rows.filter(([, shown]) => shown).map(([, shown, does]) => [shown, does])));
  const pointer = list("Mouse, pen, fingers", POINTER, "span");
  return ask("Keys", [el("div", { className: "keys" }, ...groups, pointer)], { close: "Close" });
}

export function listen(page) {
  addEventListener("keydown", (event) => pressed(event, page));
  addEventListener("keyup", (event) => event.key === " " && page.hold(false));
  addEventListener("blur", () => page.hold(false));
}

// Keys that the control in focus needs are its own.
function taken({ key, target }) {
  if (target.closest("select, textarea")) return true;
  if (target.closest("button, summary, a")) return key === "Enter" || key === " ";
  if (target.closest("input")) return key === " " || key.startsWith("Arrow");
  return Boolean(target.closest("#strip ol, #gallery, #progress")) && key.startsWith("Arrow");
}

function pressed(event, page) {
  const { key } = event;
  if (key === "Tab") document.body.classList.add("by-keys");
  if (document.querySelector("dialog[open]") || taken(event)) return;
  if (event.altKey || ((event.ctrlKey || event.metaKey) && !["z", "Z", "y", "s"].includes(key))) return;
  if (page.view !== "edit" && key !== "?") return;
  if (key === " ") {
    event.preventDefault();
    page.hold(true);
  } else if (key === "Enter" && page.stage.sketch) {
    page.tools.close();
  } else {
    const run = ACTS.get(key) ?? ACTS.get(key.toLowerCase());
    if (!run || (event.repeat && key === "Enter")) return;
    event.preventDefault();
    run(page);
  }
}
