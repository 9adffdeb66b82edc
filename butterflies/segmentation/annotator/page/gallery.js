// All photographs with a mask, to look over and to open again.

import { el, element } from "./dom.js";
import { Queue } from "./queue.js";
import { filters, marked, more, picture } from "./strip.js";

export class Gallery {
  constructor(page) {
    this.page = page;
    this.queue = new Queue({ order: "name", unlabelled: false, labelled: true, genus: "" });
    this.queue.ask = async (changes) => {
      Object.assign(this.queue.asked, changes);
      await this.queue.again();
    };
    this.queue.changed = () => this.render();
  }

  async show() {
    const { state } = this.page;
    const chosen = filters(this.queue, state.orders, state.by_genus, this.page, true);
    this.list = el("ul", { className: "tiles" });
    this.foot = el("div", { className: "foot" });
    element("gallery").replaceChildren(
      el("div", { className: "head" }, el("h2", {}, "Gallery"), ...chosen), this.list, this.foot);
    await this.queue.again();
  }

  render() {
    const { items, ended } = this.queue;
    this.list.replaceChildren(...items.map((item) => this.tile(item)));
    this.foot.replaceChildren(...(ended ? [] : [more(this.queue, this.page)]));
    if (ended && !items.length) this.foot.replaceChildren(el("p", { className: "soft" }, "No masks yet."));
  }

  tile(item) {
    const name = item.name || item.genus || item.assetID;
    const note = [item.method, marked(item) !== "has a mask" && marked(item)].filter(Boolean).join(", ");
    return el("li", {}, el("button", { type: "button", onclick: () => this.page.open(item.assetID) },
      picture(item, this.page), el("span", { className: "latin" }, name), el("small", {}, note)));
  }
}
