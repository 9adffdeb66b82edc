// The page: the photograph that is open, the way from one to the next, and what it says.

import * as api from "./api.js";
import { announce, ask, el, element, notice, preferences } from "./dom.js";
import { colours } from "./mask.js";
import { Photos } from "./photos.js";
import { Queue } from "./queue.js";
import { Saving } from "./saving.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { telling } from "./tint.js";
import { Tools } from "./tools.js";

export class Page {
  constructor() {
    this.stage = new Stage(element("canvas"));
    this.tools = new Tools(this.stage);
    this.queue = Queue.remembered();
    Object.assign(this, { state: null, session: null, visited: [], view: "edit", turn: 0 });
    Object.assign(this, { photos: new Photos(), saving: new Saving(this), editions: new Map() });
    this.changed = () => {}; // the open photograph, or what can be done with it
    this.look({ shown: preferences.get("shown", "overlay") });
  }

  async open(assetID, back = false) {
    const turn = ++this.turn;
    this.leave();
    document.body.classList.add("opening");
    try {
      const session = this.saving.unsent.get(assetID)
        ?? (await Session.open(this.state.collection, assetID, this.photos.get(assetID)));
      if (turn !== this.turn) return;
      const before = this.session?.item.assetID;
      if (before && before !== assetID && !back) this.visited.push(before);
      this.enter(session);
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    } finally {
      if (turn === this.turn) document.body.classList.remove("opening");
    }
  }

  leave() {
    this.tools.up();
    this.session?.sender.flush();
  }

  enter(session) {
    const { item, photo, mask, sender } = session;
    this.session = session;
    session.edited = () => {
      if (element("notice").dataset.about === "opening") notice("");
      this.changed();
    };
    sender.report = () => this.saving.report(session);
    sender.clash = (refusal) => this.saving.clash(session, refusal);
    element("empty").hidden = true;
    this.show("edit");
    this.tools.open(session);
    this.stage.show(photo, mask);
    this.best = telling(colours(photo));
    this.look({});
    this.saving.report(session);
    const name = item.name || item.genus || item.assetID;
    element("canvas").setAttribute("aria-label", `Photograph of ${name} with its mask`);
    document.title = `${name} – Masks`;
    history.replaceState(null, "", `#${item.assetID}`);
    notice(session.told, session.found === "draft" ? { name: "Discard it", run: () => this.discard("draft") } : null);
    element("notice").dataset.about = "opening";
    announce(`${name} is open. ${session.told}`);
    this.ahead(item.assetID);
  }

  // The next photograph is loaded while this one is drawn.
  async ahead(assetID) {
    const index = this.queue.items.findIndex((item) => item.assetID === assetID);
    const next = this.queue.items[index + 1];
    if (next) this.photos.get(next.assetID).catch(() => {});
  }

  async next() {
    try {
      const assetID = await this.queue.next(this.session?.item.assetID);
      if (assetID) await this.open(assetID);
      else this.finished();
    } catch (error) {
      this.fail(error);
    }
  }

  finished() {
    this.leave();
    if (this.session) this.visited.push(this.session.item.assetID);
    this.session = null;
    this.tools.open(null);
    this.stage.clear();
    history.replaceState(null, "", location.pathname);
    const { unlabelled, genus } = this.queue.asked;
    const text = `That was the last photograph${genus ? ` of ${genus}` : ""}${unlabelled ? " without a mask" : ""}.`;
    element("empty").hidden = false;
    element("empty").firstElementChild.textContent = text;
    element("canvas").setAttribute("aria-label", "No photograph is open");
    announce(text);
    this.changed();
  }

  async previous() {
    const assetID = this.visited.pop();
    if (assetID) await this.open(assetID, true);
  }

  // What happens to the open one

  async save() {
    const { session } = this;
    if (!session) return;
    this.tools.up();
    if (this.stage.sketch) this.tools.close();
    if (session.mask.empty) {
      notice("The mask is empty. Draw the specimen, or choose “No specimen here”.");
      return;
    }
    if (!(await session.sender.save())) return;
    const { assetID } = session.item;
    this.learn(session, { has_mask: true, draft: false, method: session.history.method });
    announce("Mask saved.");
    if (this.session === session) await this.next();
    else this.queue.learn(assetID, {});
  }

  // Notes what the server now knows of a photograph.
  learn(session, facts) {
    const { assetID } = session.item;
    Object.assign(session.item, facts, facts.has_mask === undefined ? {} : { mask: facts.has_mask });
    this.editions.set(assetID, (this.editions.get(assetID) ?? 0) + 1);
    this.queue.learn(assetID, facts);
  }

  edition = (assetID) => `${this.started}-${this.editions.get(assetID) ?? 0}`;
  started = Date.now().toString(36);

  // Says that there is no mask to draw, or takes it back.
  async judge(value) {
    const { session } = this;
    if (!session) return;
    const { item, sender } = session;
    const judgement = item.judgement === value ? null : value;
    await this.doing(async () => {
      await sender.flush();
      sender.version = (await api.judge(item.assetID, judgement, sender.version)).version;
      this.learn(session, { judgement });
      announce(judgement ? "Noted." : "Taken back.");
      this.changed();
      if (judgement && this.session === session) await this.next();
    }, session);
  }

  start(kind) {
    const { session } = this;
    if (!session) return undefined;
    const { item } = session;
    if (kind === "contrast" && item.contrast !== true) {
      return notice(typeof item.contrast === "string" ? item.contrast : "There is no contrast mask.");
    }
    if (kind === "prediction" && !item.prediction) return notice("There is no prediction: no segmenter is loaded.");
    this.tools.drop();
    return this.doing(async () => this.redrawn(session, await session.start(kind)));
  }

  grow() {
    const { session } = this;
    if (!session) return undefined;
    if (session.mask.empty) return notice("Draw a rough mask first; it then grows to the edges near it.");
    return this.doing(async () => this.redrawn(session, await session.grow()));
  }

  redrawn(session, box) {
    if (this.session === session) this.stage.touch(box);
  }

  async discard(kind) {
    const { session } = this;
    const { item, sender } = session;
    if (kind === "mask" && (await ask("Delete this mask?", [el("p", {}, "The saved mask of this photograph is taken away.")],
      { delete: "Delete mask", keep: "Keep it" })) !== "delete") return;
    await this.doing(async () => {
      await sender.drop();
      await sender.running;
      await api.remove(kind, item.assetID, sender.version);
      this.learn(session, kind === "mask" ? { has_mask: false, method: null } : { draft: false });
      await this.open(item.assetID, true);
    }, session);
  }

  // Does something that the server takes part in, and says what fails.
  async doing(act, session = null) {
    document.body.classList.add("busy");
    try {
      await act();
    } catch (error) {
      if (error.status !== 409 || !session) this.fail(error);
      else if ((await this.saving.clash(session, error)) === "mine") {
        session.sender.version = error.version;
        notice("Try it once more: it now counts as the newest version.");
      }
    } finally {
      document.body.classList.remove("busy");
    }
  }

  // What it says

  fail(error) {
    notice(error.message);
  }

  // What is seen

  look(changes) {
    if (changes.shown) preferences.set("shown", changes.shown);
    if (changes.colour) preferences.set("colour", changes.colour);
    const colour = preferences.get("colour", "auto");
    Object.assign(this.stage.look, {
      shown: preferences.get("shown", "overlay"),
      colour: colour === "auto" ? (this.best ?? "magenta") : colour,
    });
    this.stage.redraw();
    this.changed();
  }

  hold(down) {
    this.pointers.held = down;
    element("canvas").classList.toggle("holding", down);
  }

  show(view) {
    this.view = view;
    document.body.dataset.view = view;
    for (const id of ["edit", "gallery", "progress"]) element(id).hidden = id !== view;
    for (const node of document.querySelectorAll("#bar nav button")) {
      node.setAttribute("aria-current", node.dataset.view === view ? "page" : "false");
    }
    (view === "edit" ? element("stage") : document.body).append(element("notice"));
    if (view === "edit") this.stage.resize();
    document.body.classList.remove("sheet-open");
  }
}
