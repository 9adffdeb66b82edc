// The title panel: how many specimens, and what the map is made of.

import { el, number } from "./dom.js";

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
    if (!panel.childElementCount) panel.append(...text(await site.about()));
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
  });
}

function text(facts) {
  const left = Object.values(facts.left_out).reduce((sum, count) => sum + count, 0);
  const rest = left ? ` ${number(left)} further photographs could not be placed.` : "";
  const size = number(facts.map_px);
  return [
    el("p", {}, "Each specimen lies beside those that look like it. The places come from the pictures " +
      "alone: no name, date or locality was used."),
    el("p", {}, "Zoom in, and click a specimen for its record. Colour the map to see whether likeness " +
      "agrees with taxonomy."),
    el("p", {}, `The map is ${size} × ${size} pixels.${rest}`),
    credits("Pictures", facts.credits),
    credits("Licences", facts.licences),
    el("p", { className: "small" }, `Made with ${facts.made_with}.`),
  ];
}

function credits(title, counts) {
  const items = Object.entries(counts).map(([name, count]) => el("li", {}, `${name} (${number(count)})`));
  return el("div", { className: "small" }, el("h2", {}, title), el("ul", {}, ...items));
}
