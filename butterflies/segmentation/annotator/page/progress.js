// How far the masks are: counts, and bars by genus and by background.

import { el, element, number, percent } from "./dom.js";

const COUNTS = [
  ["masks", "masks"], ["photographs", "photographs"], ["skipped", "skipped"],
  ["no_specimen", "without specimen"], ["bad", "bad photographs"],
];

export function progress(state) {
  const figures = COUNTS.map(([key, text]) => figure(number(state.counts[key] ?? 0), text));
  const iou = typeof state.iou === "number" ? state.iou.toFixed(3) : "–";
  const last = state.segmenter ? "IoU of the last training" : "no segmenter yet";
  const ranked = state.ready ? null
    : el("p", { className: "soft" }, `Ranking the photographs: ${number(state.ranked)} of ${number(state.counts.photographs)}.`);
  element("progress").replaceChildren(...[
    el("div", { className: "head" }, el("h2", {}, "Progress")),
    el("dl", { className: "figures" }, ...figures, figure(iou, last)), ranked,
    el("div", { className: "columns" },
      table("By genus", state.by_genus, "genus"), table("By background", state.by_background, "background")),
  ].filter(Boolean));
}

const figure = (value, text) => el("div", {}, el("dt", {}, text), el("dd", {}, value));

// A bar is as long as there are photographs, and dark as far as there are masks.
function table(title, rows, key) {
  const most = Math.max(1, ...rows.map((row) => row.photographs));
  const lines = [...rows].sort((a, b) => b.photographs - a.photographs).map((row) => {
    const bar = el("div", { className: "bar" }, el("i", {}));
    bar.style.width = `${(100 * row.photographs) / most}%`;
    bar.firstChild.style.width = `${(100 * row.masks) / Math.max(1, row.photographs)}%`;
    bar.classList.toggle("none", !row.masks);
    const share = `${number(row.masks)} of ${number(row.photographs)} (${percent(row.masks, row.photographs)})`;
    return el("tr", {}, el("th", { scope: "row", className: key === "genus" && row[key] ? "latin" : "" }, row[key] || "Unknown"),
      el("td", { className: "track", "aria-hidden": "true" }, bar), el("td", { className: "share" }, share));
  });
  return el("section", {}, el("h3", {}, title), el("table", {}, el("tbody", {}, ...lines)));
}
