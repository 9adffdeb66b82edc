// A photograph that is open: its mask, how that came about, its history, and the sending of it.

import * as api from "./api.js";
import * as attic from "./attic.js";
import { decoded, encoded, Mask } from "./mask.js";
import { History } from "./history.js";
import { Sender } from "./sender.js";

const NAMES = { draft: "draft", mask: "mask", contrast: "contrast mask", prediction: "prediction" };

export class Session {
  // Opens a photograph of a collection with the newest of: what this browser could not send, the
  // draft, the mask, the prediction, nothing.
  static async open(collection, assetID, photo) {
    const place = `${collection}/${assetID}`;
    const [item, unsent, picture] = await Promise.all([api.item(assetID), attic.kept(place), photo]);
    const session = new Session(item, picture, place);
    const kind = ["draft", "mask", "prediction"].find((one) => item[one]);
    session.found = unsent ? "unsent" : kind ?? "empty";
    if (unsent || kind) {
      const blob = unsent?.blob ?? (await api.mask(assetID, kind));
      session.mask.pixels.set(await decoded(blob, picture.width, picture.height));
    }
    const begun = kind === "prediction" ? kind : item.method ?? "hand";
    session.history = new History(session.mask, unsent?.method ?? begun);
    session.sender = new Sender(session, assetID, unsent?.version ?? item.version);
    if (unsent) session.sender.draft();
    return session;
  }

  constructor(item, photo, place) {
    Object.assign(this, { item, photo, place, mask: new Mask(photo.width, photo.height) });
    this.edited = () => {};
  }

  // A stroke in this rectangle ended.
  commit(box) {
    const { method } = this.history;
    const begun = method === "hand" ? "hand" : "corrected";
    return this.sent(this.history.commit(box, begun));
  }

  undo() {
    return this.sent(this.history.undo());
  }

  redo() {
    return this.sent(this.history.redo());
  }

  sent(changed) {
    if (changed) this.sender.draft();
    this.edited();
    return changed;
  }

  // Puts other pixels in the mask's place, as one step.
  replace(pixels, method) {
    this.mask.pixels.set(pixels);
    this.sent(this.history.commit(this.mask.whole, method));
    return this.mask.whole;
  }

  // Begins anew from "contrast", "prediction" or "empty".
  async start(kind) {
    const { width, height } = this.mask;
    if (kind === "empty") return this.replace(new Uint8Array(width * height), "hand");
    return this.replace(await decoded(await api.mask(this.item.assetID, kind), width, height), kind);
  }

  // Lets the server move the edge to the picture's edges.
  async grow() {
    const sent = this.mask.pixels.slice();
    const blob = await api.grow(this.item.assetID, await encoded(this.mask));
    const pixels = await decoded(blob, this.mask.width, this.mask.height);
    if (sent.some((value, i) => value !== this.mask.pixels[i])) return null;
    const { method } = this.history;
    return this.replace(pixels, method === "hand" ? "hand" : "corrected");
  }

  get told() {
    const { found, item } = this;
    if (found === "unsent") return "Restored what this browser had not sent yet.";
    if (found === "draft") return "Restored your draft: it is not saved as the mask yet.";
    return found === "prediction" && !item.judgement ? `Begun from the ${NAMES.prediction}.` : "";
  }
}
