// Puts the page together.

import * as api from "./api.js";
import { element, notice } from "./dom.js";
import { Gallery } from "./gallery.js";
import { help, listen } from "./keys.js";
import { Page } from "./page.js";
import { Panel } from "./panel.js";
import { Pointers } from "./pointers.js";
import { progress } from "./progress.js";
import { Strip } from "./strip.js";
import { Toolbar } from "./toolbar.js";

const RANKING = 3000; // ms between two looks at how far the ranking is

async function start() {
  const page = new Page();
  globalThis.annotator = page; // for tests and the curious
  page.pointers = new Pointers(element("canvas"), page.stage, page.tools);
  const parts = { toolbar: new Toolbar(page), strip: new Strip(element("strip"), page.queue, page), gallery: new Gallery(page) };
  page.state = await api.state();
  page.queue.suit(page.state);
  element("collection").textContent = [page.state.collection, page.state.who].filter(Boolean).join(" · ");
  parts.panel = new Panel(page);
  parts.strip.offer(page.state);
  page.changed = () => changed(page, parts);
  hear(page, parts);
  listen(page);
  await page.queue.again();
  await follow(page, parts);
  document.body.dataset.ready = "true";
  if (!page.state.ready) watch(page, parts);
}

// Redraws what tells of the open photograph, once for many changes.
function changed(page, parts) {
  parts.drawing ??= requestAnimationFrame(() => {
    parts.drawing = null;
    parts.toolbar.able(page.session ?? undefined);
    const { item, sender } = page.session ?? {};
    const shown = JSON.stringify([item, sender?.state === "stopped", page.stage.look.shown, page.visited.length]);
    if (shown === parts.shown) return;
    parts.shown = shown;
    parts.panel.render();
    parts.strip.render();
  });
}

function hear(page, parts) {
  for (const node of document.querySelectorAll("#bar nav button")) {
    node.addEventListener("click", () => turn(page, parts, node.dataset.view));
  }
  element("help-button").addEventListener("click", () => help());
  element("saving").querySelector("button").addEventListener("click", () => page.saving.retry());
  element("canvas").addEventListener("pointerdown", (event) => {
    document.body.classList.remove("sheet-open", "by-keys");
    if (event.pointerType === "pen" && !parts.toolbar.pen) parts.toolbar.penned();
  });
  addEventListener("pointerdown", () => document.body.classList.remove("by-keys"));
  addEventListener("hashchange", () => follow(page, parts));
  addEventListener("online", () => page.saving.retry());
  addEventListener("pagehide", () => page.saving.retry());
  document.addEventListener("visibilitychange", () => page.saving.retry());
  addEventListener("beforeunload", (event) => page.saving.unsent.size && event.preventDefault());
}

// Shows what the address names: a photograph, the gallery, the progress, or else the next one.
async function follow(page, parts) {
  const name = decodeURIComponent(location.hash.slice(1));
  if (name === "!gallery" || name === "!progress") return turn(page, parts, name.slice(1));
  if (name && name !== page.session?.item.assetID) await page.open(name);
  if (!page.session) await page.next();
  return undefined;
}

async function turn(page, parts, view) {
  page.show(view);
  const { assetID } = page.session?.item ?? {};
  history.replaceState(null, "", view === "edit" ? `#${assetID ?? ""}` : `#!${view}`);
  notice("");
  try {
    if (view === "edit" && !page.session) await page.next();
    if (view === "gallery") await parts.gallery.show();
    if (view === "progress") {
      page.state = await api.state();
  page.queue.suit(page.state);
      progress(page.state);
    }
  } catch (error) {
    page.fail(error);
  }
}

// The photographs not yet seen are put in order when the ranking is done.
async function watch(page, parts) {
  while (!page.state.ready) {
    await new Promise((resolve) => setTimeout(resolve, RANKING));
    page.state = await api.state().catch(() => page.state);
    parts.strip.render();
  }
  if (page.queue.asked.order === "worst") await page.queue.again().catch((error) => page.fail(error));
}

start().catch((error) => notice(error.message));
