// The photographs that were opened last, and the next one, so that it is there when it is wanted.

import * as api from "./api.js";

const MOST = 6;

export class Photos {
  kept = new Map();

  get(assetID) {
    const found = this.kept.get(assetID) ?? api.photo(assetID);
    this.kept.delete(assetID);
    this.kept.set(assetID, found);
    found.catch(() => this.kept.delete(assetID));
    if (this.kept.size > MOST) this.kept.delete(this.kept.keys().next().value);
    return found;
  }
}
