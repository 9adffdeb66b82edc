// Sends a mask to the server: the newest state, one after the other, again until it is there.

import * as api from "./api.js";
import * as attic from "./attic.js";
import { encoded } from "./mask.js";

const QUIET = 250; // ms without a stroke after which a draft is sent
const WAITS = [1000, 2000, 4000, 8000]; // ms between tries

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Sender {
  // `session` has mask, method and place; `version` is the server's that it began from.
  constructor(session, assetID, version) {
    Object.assign(this, { session, assetID, version });
    this.state = "saved"; // saved, unsaved, failed (tried again by itself), stopped
    this.sentence = "";
    this.want = null; // "draft" or "mask"
    this.report = () => {};
    this.clash = async () => null; // asked on a conflict: "mine", "theirs" or null
    this.wakers = [];
  }

  get settled() {
    return !this.want && !this.running;
  }

  // A stroke ended.
  draft() {
    this.want = "draft";
    this.tell("unsaved");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), QUIET);
  }

  // Makes it the mask; true when the server has it and nothing was drawn meanwhile.
  async save() {
    this.want = "mask";
    this.tell("unsaved");
    await this.run();
    return this.state === "saved" && this.last === "mask";
  }

  // Sends what waits, now.
  async flush() {
    if (this.want || this.running) await this.run();
  }

  run() {
    clearTimeout(this.timer);
    for (const wake of this.wakers.splice(0)) wake();
    this.running ??= this.all().finally(() => (this.running = null));
    return this.running;
  }

  async all() {
    for (let tries = 0; this.want; ) {
      const kind = this.want;
      this.want = null;
      try {
        await this.one(kind);
        tries = 0;
      } catch (refusal) {
        this.want ??= kind;
        if (!(await this.goesOn(refusal, tries++))) return;
      }
    }
    this.tell("saved");
  }

  async one(kind) {
    const { session } = this;
    const { method } = session.history;
    const blob = await encoded(session.mask);
    await attic.keep(session.place, { blob, version: this.version, method });
    this.version = await api.send(kind, this.assetID, blob, this.version, method);
    this.last = kind;
    if (!this.want) await attic.forget(session.place);
  }

  // Whether to try again: what may pass is waited for, a conflict is asked about.
  async goesOn(refusal, tries) {
    if (refusal.status === 409) return this.resolve(refusal);
    if (!refusal.passing) {
      this.tell("stopped", refusal.message);
      return false;
    }
    this.tell("failed", refusal.message);
    const woken = new Promise((wake) => this.wakers.push(wake));
    await Promise.race([pause(WAITS[Math.min(tries, WAITS.length - 1)]), woken]);
    return !this.dropped;
  }

  async resolve(refusal) {
    this.tell("stopped", refusal.message);
    const answer = await this.clash(refusal);
    if (answer === "mine") this.version = refusal.version;
    if (answer === "theirs") await this.drop();
    return answer === "mine";
  }

  // Gives up what was not sent.
  async drop() {
    clearTimeout(this.timer);
    this.dropped = true;
    this.want = null;
    await attic.forget(this.session.place);
    this.tell("saved");
  }

  tell(state, sentence = "") {
    Object.assign(this, { state, sentence });
    this.report();
  }
}
