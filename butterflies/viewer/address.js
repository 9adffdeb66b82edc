// The state of the page in its address:
//
//     #x,y,s             centre in world units, s = log2(world units per CSS pixel)
//     #ID                an assetID or catalogue number
//     &specimen=ID       whose pop-up is open
//     &colour=genus      specimens as dots, coloured by this column
//     &only=Papilio      only this value of it; *other and *unknown stand for the rest

export function parse(hash) {
  const [place, ...rest] = hash.replace(/^#/, "").split("&");
  const state = Object.fromEntries(new URLSearchParams(rest.join("&")));
  const numbers = place.split(",").map(Number);
  if (numbers.length === 3 && place !== "" && numbers.every(Number.isFinite)) {
    const [x, y, spread] = numbers;
    state.view = { x, y, spread };
  } else if (place) {
    state.specimen ??= decoded(place);
  }
  return state;
}

export function format({ view, specimen, colour, only }) {
  const rest = new URLSearchParams();
  if (specimen) rest.set("specimen", specimen);
  if (colour) rest.set("colour", colour);
  if (colour && only) rest.set("only", only);
  const spread = String(Math.round(view.spread * 100) / 100);
  const tail = rest.toString();
  return `#${view.x},${view.y},${spread}${tail && "&"}${tail}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
