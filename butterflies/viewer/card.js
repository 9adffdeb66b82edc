// The pop-up of a specimen. Everything in it is untrusted text and goes in as text.

import { copied, el, link, linked, number, safe } from "./dom.js";

const FIELDS = [
  ["family", "Family"], ["sex", "Sex"], ["typeStatus", "Type status"], ["country", "Country"],
  ["locality", "Locality"], ["coordinates", "Coordinates"], ["date", "Collected"],
  ["catalogNumber", "Catalogue no."], ["project", "Project"],
];

export const called = (card) => card.name ?? card.author ?? "Unnamed specimen";

const SCORES = [
  ["knn_recall", "Similar ones nearby", share, "of the specimens that look most like it, those that also lie nearest on this map"],
  ["genus_purity", "Same genus nearby", share, "of the nearest on this map, those of its genus"],
  ["reconstruction_error", "Redrawing error", plain, "how far the network is off when it redraws it: 0 to 1, usually below 0.1"],
  ["confidence", "Outline", share, "how certain it is where the specimen ends"],
  ["damage", "Damage", plain, "0 to 1; high where a wing or a large part of one seems to be missing"],
];

// The contents of a specimen's pop-up; `go(assetID)` shows another specimen.
export function contents(card, site, go) {
  return [
    portrait(card, site),
    heading(card),
    fields(FIELDS.filter(([key]) => card[key]).map(([key, label]) => [label, card[key]])),
    photograph(card, site),
    credit(card),
    citation(card),
    scores(card),
    more(card),
    similar(card, site, go),
  ];
}

function portrait(card, site) {
  const alt = [called(card), card.sex, card.country].filter(Boolean).join(", ");
  const picture = el("img", { src: site.picture(card.assetID), alt, width: 256, height: 256 });
  return el("figure", { className: "portrait" }, picture);
}

function heading(card) {
  const name = card.name && el("em", {}, card.name);
  const author = card.author && el("span", { className: card.name ? "author" : "" }, card.author);
  const between = name && author ? " " : null;
  const parts = name || author ? [name, between, author] : [called(card)];
  return el("h2", { id: "card-name", tabIndex: -1 }, ...parts);
}

function fields(pairs) {
  const list = el("dl");
  for (const [label, value] of pairs) {
    list.append(el("div", {}, el("dt", {}, label), el("dd", {}, value)));
  }
  return list;
}

// A copy is shown at once; the museum's own picture only when asked for.
function photograph(card, site) {
  if (card.photo === true) return photo(site.picture(card.assetID, "photographs", ".jpg"), card);
  const address = card.photo && safe(card.photo);
  if (!address) return null;
  const where = new URL(address).host;
  const button = el("button", { type: "button", className: "wide" }, "Show the museum’s photograph");
  const note = el("small", {}, `Loads a picture from ${where}.`);
  const box = el("div", { className: "photograph" }, button, note);
  button.addEventListener("click", () => {
    const shown = photo(address, card);
    shown.querySelector("img").addEventListener("error", () => {
      box.replaceChildren(el("p", {}, `${where} does not deliver this photograph at present.`));
    });
    box.replaceChildren(shown);
  });
  return box;
}

function photo(address, card) {
  const alt = `Photograph of ${called(card)} as taken, with its labels`;
  const picture = el("img", { src: address, alt, referrerPolicy: "no-referrer", loading: "lazy" });
  return el("figure", { className: "photo" }, picture);
}

function credit(card) {
  const parts = [];
  if (card.credit) parts.push(el("span", {}, `© ${card.credit}`));
  const both = card.licence && card.record_licence;
  if (card.licence) parts.push(licence(both && "Photograph: ", card.licence, card.licence_link));
  if (card.record_licence) parts.push(licence("Record: ", card.record_licence, card.record_licence_link));
  const text = parts.flatMap((part, i) => (i ? [" · ", part] : [part]));
  const record = card.link && el("p", { className: "record" }, link(card.link, "Open the museum’s record ↗"));
  return el("div", { className: "credit" }, text.length ? el("p", {}, ...text) : null, record);
}

const licence = (what, name, address) =>
  el("span", { className: "licence" }, what || null, linked(name, address));

// How to cite the picture: pieces of text, every second of which is an address.
function citation(card) {
  if (!card.citation) return null;
  const pieces = card.citation.map((piece, i) => (i % 2 ? link(piece, piece) : piece));
  const text = el("p", {}, ...pieces);
  const button = el("button", { type: "button", "aria-live": "polite" }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text)) ? "Copied" : "Selected";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return el("details", { className: "more cite" }, el("summary", {}, "Cite as"), text, button);
}

// How well it is outlined, redrawn and placed on the map, as far as that is known.
function scores(card) {
  const known = SCORES.filter(([key]) => typeof card.scores?.[key] === "number");
  if (!known.length) return null;
  const pairs = known.map(([key, label, told, meaning]) => {
    const value = told(card.scores[key]);
    return [label, el("span", {}, value, el("small", {}, meaning))];
  });
  return el("details", { className: "more scores" }, el("summary", {}, "Scores"), fields(pairs));
}

function share(value) {
  return `${Math.round(100 * value)} %`;
}

function plain(value) {
  return value.toLocaleString("en-GB", { maximumFractionDigits: 3 });
}

function more(card) {
  const pairs = Object.entries({ ...card.more, assetID: card.assetID });
  const spaced = (name) => {
    const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/_/g, " ").trim();
    return words.charAt(0).toUpperCase() + words.slice(1);
  };
  const list = fields(pairs.map(([name, value]) => [spaced(name), value]));
  return el("details", { className: "more further" }, el("summary", {}, "More of the record"), list);
}

function similar(card, site, go) {
  if (!card.similar.length) return null;
  const items = card.similar.map(({ assetID, name }) => {
    const src = site.picture(assetID);
    const picture = el("img", { src, alt: name, loading: "lazy", width: 64, height: 64 });
    const button = el("button", { type: "button", title: name }, picture);
    button.addEventListener("click", () => go(assetID));
    return el("li", {}, button);
  });
  const title = `The ${number(items.length)} that look most like it`;
  return el("section", { className: "similar" }, el("h3", {}, title), el("ul", {}, ...items));
}
