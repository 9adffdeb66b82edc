// What the page says of the sending: of the open photograph, and of those that were left before they
// were all sent.

import { announce, ask, el, element, notice } from "./dom.js";

const WORDS = { saved: "All kept", unsaved: "Saving…", failed: "Not saved, trying again", stopped: "Not saved" };

export class Saving {
  constructor(page) {
    Object.assign(this, { page, unsent: new Map() });
  }

  // Something about the sending of a photograph changed.
  report(session) {
    const { assetID } = session.item;
    const open = !session.sender.settled || session.sender.state === "stopped";
    if (open && session.sender.state !== "saved") this.unsent.set(assetID, session);
    else this.unsent.delete(assetID);
    const states = [...this.unsent.values(), this.page.session].filter(Boolean).map(({ sender }) => sender);
    const worst = ["stopped", "failed", "unsaved"].map((one) => states.find(({ state }) => state === one)).find(Boolean);
    this.tell(worst?.state ?? "saved", worst?.sentence ?? "");
    this.page.changed();
  }

  tell(state, sentence) {
    const box = element("saving");
    if (box.dataset.state !== state) {
      if (state === "failed" || state === "stopped") announce(`Not saved: ${sentence}`);
      else if (state === "saved" && box.dataset.state !== "unsaved") announce("Saved again.");
    }
    box.dataset.state = state;
    box.firstElementChild.textContent = WORDS[state];
    box.title = sentence;
    box.querySelector("button").hidden = state !== "failed" && state !== "stopped";
    if (state === "stopped" && sentence) notice(sentence);
  }

  retry() {
    for (const session of new Set([...this.unsent.values(), this.page.session])) session?.sender.flush();
  }

  // Somebody else changed the photograph meanwhile.
  async clash(session, refusal) {
    const answer = await ask("Changed elsewhere", [el("p", {}, refusal.message),
      el("p", { className: "soft" }, "Yours is kept here until you choose.")],
    { theirs: "Take theirs", mine: "Keep mine as a new version" });
    if (answer === "theirs") {
      await session.sender.drop();
      this.unsent.delete(session.item.assetID);
      if (this.page.session === session) setTimeout(() => this.page.open(session.item.assetID, true));
    }
    return answer;
  }
}
