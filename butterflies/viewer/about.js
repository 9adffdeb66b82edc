// The title panel: how many specimens, and what the map is made of.

import { el, linked, number } from "./dom.js";

export function about(site) {
  const { specimens } = site.info;
  document.getElementById("count").textContent = `${number(specimens)} specimens`;
  document.getElementById("map").setAttribute(
    "aria-label",
    `Map of ${number(specimens)} specimens. Arrow keys move it, plus and minus zoom, ` +
      "Enter opens the specimen in the middle.",
  );
  const button = document.getElementById("about-button");
  const panel = document.getElementById("about");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!panel.childElementCount) panel.append(...text(await site.about(), site).filter(Boolean));
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
  });
}

function text(facts, site) {
  const { withdrawn = 0, ...others } = facts.left_out;
  const left = Object.values(others).reduce((sum, count) => sum + count, 0);
  const rest = left ? ` ${number(left)} further photographs could not be placed.` : "";
  const gone = withdrawn ? ` ${number(withdrawn)} were withdrawn.` : "";
  const size = number(facts.map_px);
  return [
    el("p", {}, "Each specimen lies beside those that look like it. The places come from the pictures " +
      "alone: no name, date or locality was used."),
    el("p", {}, "Zoom in, and click a specimen for its record. Colour the map to see whether likeness " +
      "agrees with taxonomy."),
    el("p", {}, `The map is ${size} × ${size} pixels.${rest}${gone}`),
    counts("Pictures", Object.entries(facts.credits)),
    licences("Licences of the pictures", facts.licences),
    licences("Licences of the records", facts.record_licences),
    el("p", {}, el("a", { href: site.url("credits.csv"), download: "" }, "Credits of all pictures (CSV)")),
    facts.no_warranty && el("p", { className: "small" }, facts.no_warranty),
    el("p", { className: "small" }, `Made with ${facts.made_with}.`),
  ];
}

const licences = (title, rows) =>
  rows.length ? counts(title, rows.map((row) => [linked(row.name, row.link), row.specimens])) : null;

function counts(title, pairs) {
  const items = pairs.map(([name, count]) => el("li", {}, name, ` (${number(count)})`));
  return el("div", { className: "small" }, el("h2", {}, title), el("ul", {}, ...items));
}
