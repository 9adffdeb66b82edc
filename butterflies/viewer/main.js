// Puts the page together: the map, the pop-up, the colours and the address.

import { format, parse } from "./address.js";
import { about } from "./about.js";
import { Colour } from "./colour.js";
import { Site } from "./data.js";
import { notice } from "./dom.js";
import { Hits } from "./hit.js";
import { Popup } from "./popup.js";
import { World } from "./world.js";

const element = (id) => document.getElementById(id);

async function start() {
  const site = await Site.open();
  const [points, coverage] = await Promise.all([site.points(), site.coverage()]);
  site.placeOf = (row) => ({ x: points.x[row], y: points.y[row] });
  const world = new World(element("map"), site.info, coverage);
  const hits = new Hits(site, points, world);
  const popup = new Popup(element("card"), site, world, hits);
  const colour = new Colour(element("colour"), site, world, points);
  const page = { site, world, hits, popup, colour, following: 0, queue: Promise.resolve() };
  about(site);
  listen(page);
  await follow(page);
  globalThis.butterflies = page; // for tests and the curious
  document.body.dataset.ready = "true";
}

// Follows the address, one change after the other; what it asks for is not overwritten before it is
// all there.
function follow(page) {
  page.following += 1;
  page.queue = page.queue.then(async () => {
    await settled(restore(page, location.hash));
    page.following -= 1;
    remember(page);
  });
  return page.queue;
}

async function restore(page, hash) {
  const { site, world, popup, colour } = page;
  const { view, specimen, colour: column, only } = parse(hash);
  notice("");
  const row = specimen ? await site.find(specimen) : null;
  if (view) {
    world.show(view.x, view.y, site.info.zoom - view.spread);
  } else if (row !== null) {
    const { x, y } = site.placeOf(row);
    world.show(x, y, site.info.zoom);
  } else {
    world.showAll();
  }
  await colour.set(column, only);
  if (row !== null) await popup.open(row, view ? "stay" : "reveal");
  else if (popup.card) popup.close();
  if (specimen && row === null) notice(`There is no specimen ${specimen} on this map.`);
}

function listen(page) {
  const { world, hits, popup, colour } = page;
  const { map } = world;
  const save = () => remember(page);
  map.on("moveend", save);
  popup.changed = save;
  colour.changed = save;
  addEventListener("hashchange", () => follow(page));
  map.on("zoomend", () => settled(hits.prepare()));
  const under = (latLng) => {
    const { x, y } = world.from(latLng);
    return hits.at(x, y, Boolean(colour.column));
  };
  const openAt = (latLng) => {
    const row = under(latLng);
    if (row === null) return popup.card && popup.close();
    return settled(popup.open(row));
  };
  map.on("click", async ({ latlng }) => {
    await settled(hits.prepare());
    openAt(latlng);
  });
  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === map.getContainer()) openAt(map.getCenter());
  });
  point(map, under);
}

// A pointing hand over specimens, asked for once a frame at most.
function point(map, under) {
  let waiting = false;
  map.on("mousemove", ({ latlng }) => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      map.getContainer().classList.toggle("on-specimen", under(latlng) !== null);
    });
  });
}

function remember({ world, popup, colour, following }) {
  if (following) return;
  const state = { view: world.view(), specimen: popup.card?.assetID };
  const hash = format({ ...state, colour: colour.column, only: colour.only });
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

async function settled(promise) {
  try {
    await promise;
  } catch (error) {
    notice(`${error.message} If the map has been renewed, reloading the page helps.`);
  }
}

// Marks are for those who use the keyboard; `:focus-visible` also means a focus set by a script.
addEventListener("keydown", () => document.body.classList.add("by-keys"), true);
addEventListener("pointerdown", () => document.body.classList.remove("by-keys"), true);

start().catch((error) => notice(`The map cannot be shown: ${error.message}`));
