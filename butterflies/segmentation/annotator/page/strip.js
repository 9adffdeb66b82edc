// The next photographs along the foot of the page, with the order and the filters of the queue.

import * as api from "./api.js";
import { button, calm, el, number } from "./dom.js";

export const ORDERS = { worst: "Worst first", name: "By name", random: "At random", unlabelled: "Without mask first" };
export const JUDGED = { no_specimen: "no specimen", bad: "bad photograph" };

export class Strip {
  constructor(box, queue, page) {
    Object.assign(this, { box, queue, page });
    this.list = el("ol", {});
    this.told = el("p", { className: "soft" });
    this.filters = el("div", { className: "filters" });
    box.replaceChildren(this.filters, this.list);
    this.list.addEventListener("scroll", () => {
      const { scrollLeft, clientWidth, scrollWidth } = this.list;
      if (scrollLeft + clientWidth > scrollWidth - 300 && !queue.ended) queue.more().catch(() => {});
    }, { passive: true });
    queue.changed = () => this.render();
  }

  // The orders and genera that there are.
  offer({ orders, by_genus: genera }) {
    this.filters.replaceChildren(...filters(this.queue, orders, genera, this.page), this.told);
  }

  render() {
    const { items, total, ended } = this.queue;
    const { state, session } = this.page;
    const current = session?.item.assetID;
    this.list.replaceChildren(...items.map((item) => this.entry(item, item.assetID === current)));
    const here = this.list.querySelector("[aria-current]");
    here?.scrollIntoView({ block: "nearest", inline: "center", behavior: calm() ? "auto" : "smooth" });
    const count = ended ? items.length : total;
    const ranking = state && !state.ready && `Ranking: ${number(state.ranked)} of ${number(state.counts.photographs)}`;
    this.told.textContent = ranking || (count === null ? "" : `${number(count)} photographs`);
  }

  entry(item, current) {
    const label = [item.name || item.genus || item.assetID, marked(item)].filter(Boolean).join(", ");
    return el("li", { className: item.judgement ? "judged" : item.has_mask ? "masked" : "" },
      el("button", {
        type: "button", title: label, "aria-label": label, "aria-current": current && "true",
        onclick: () => this.page.open(item.assetID),
      }, picture(item, this.page)));
  }
}

export const picture = (item, page) =>
  el("img", { src: api.thumb(item.assetID, page.edition(item.assetID)), alt: "", loading: "lazy", width: 96, height: 72 });

export const marked = (item) =>
  JUDGED[item.judgement] ?? (item.draft ? "draft" : item.has_mask ? "has a mask" : "");

// Controls of a queue; `page.told` hears of what fails.
export function filters(queue, orders, genera, page, labelled = false) {
  const ask = (changes) => queue.ask(changes).catch((error) => page.fail(error));
  const options = (pairs, chosen) =>
    pairs.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
  const order = el("select", { "aria-label": "Order", onchange: (e) => ask({ order: e.target.value }) },
    ...options(orders.map((one) => [one, ORDERS[one] ?? one]), queue.asked.order));
  const names = genera.map(({ genus }) => genus).filter(Boolean).sort();
  const genus = el("select", { "aria-label": "Genus", onchange: (e) => ask({ genus: e.target.value }) },
    ...options([["", "All genera"], ...names.map((name) => [name, name])], queue.asked.genus));
  const check = el("input", {
    type: "checkbox", checked: queue.asked.unlabelled,
    onchange: (e) => ask({ unlabelled: e.target.checked }),
  });
  return [order, genus, labelled ? null : el("label", {}, check, " Without mask only")].filter(Boolean);
}

export const more = (queue, page) =>
  button("Show more", () => queue.more().catch((error) => page.fail(error)), { className: "plain" });
