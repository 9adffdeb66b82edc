// The photographs in the order in which they are asked for, loaded as they are needed.

import * as api from "./api.js";
import { preferences } from "./dom.js";

const PAGE = 24;

export class Queue {
  constructor(asked = { order: "worst", unlabelled: true, genus: "" }) {
    this.asked = { ...asked };
    this.changed = () => {};
    this.clear();
  }

  static remembered() {
    return new Queue(preferences.get("queue", { order: "worst", unlabelled: true, genus: "" }));
  }

  // What was asked for last time may not be there any more, or be of another collection.
  suit({ orders, by_genus: genera }) {
    if (!orders.includes(this.asked.order)) this.asked.order = orders[0];
    if (!genera.some((one) => one.genus === this.asked.genus)) this.asked.genus = "";
  }

  clear() {
    Object.assign(this, { items: [], total: null, last: null, ended: false, turn: (this.turn ?? 0) + 1 });
  }

  // Changes the order or a filter and begins anew.
  async ask(changes) {
    Object.assign(this.asked, changes);
    preferences.set("queue", this.asked);
    await this.again();
  }

  async again() {
    this.clear();
    await this.more();
  }

  // Loads further ones; one request at a time.
  more() {
    const { turn } = this;
    if (this.loading?.turn === turn) return this.loading.promise;
    const promise = this.load(turn).finally(() => {
      if (this.loading?.promise === promise) this.loading = null;
    });
    this.loading = { turn, promise };
    return promise;
  }

  async load(turn) {
    const { order, unlabelled, labelled, genus } = this.asked;
    const asked = { order, limit: PAGE };
    if (unlabelled) asked.labelled = 0;
    if (labelled) asked.labelled = 1;
    if (genus) asked.genus = genus;
    for (let found = 0; !found && !this.ended; ) {
      const { items, total } = await api.queue(this.last ? { ...asked, after: this.last } : asked);
      if (turn !== this.turn) return;
      this.last = items.at(-1)?.assetID;
      this.ended = items.length < PAGE;
      const wanted = items.filter((item) => this.fits(item));
      found = wanted.length;
      this.items.push(...wanted);
      this.total = total;
    }
    this.changed();
  }

  fits(item) {
    const { unlabelled, labelled, genus } = this.asked;
    return !this.has(item.assetID) && !(unlabelled && item.has_mask) && !(labelled && !item.has_mask)
      && (!genus || item.genus === genus);
  }

  has(assetID) {
    return this.items.some((item) => item.assetID === assetID);
  }

  // The photograph after this one, or where we were when it is not in the queue; null at the end.
  async next(assetID) {
    const here = this.items.findIndex((item) => item.assetID === assetID);
    const index = here < 0 ? (this.place ?? 0) : here + 1;
    if (index + 8 >= this.items.length && !this.ended) {
      const loading = this.more();
      if (index >= this.items.length) await loading;
      else loading.catch(() => {}); // asked for again when it is needed
    }
    this.place = index;
    return this.items[index]?.assetID ?? null;
  }

  // Something about a photograph became known.
  learn(assetID, facts) {
    const item = this.items.find((one) => one.assetID === assetID);
    if (item) Object.assign(item, facts);
    this.changed();
  }
}
