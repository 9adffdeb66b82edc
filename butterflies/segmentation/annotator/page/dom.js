// Elements made of plain text: nothing here, and nothing elsewhere, parses HTML.

export const element = (id) => document.getElementById(id);

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.includes("-") && name !== "list") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const button = (text, onclick, properties = {}) =>
  el("button", { type: "button", onclick, ...properties }, text);

export const number = (value) => value.toLocaleString("en-GB");

// A share of something as whole percents, where a little is never nothing and nearly all not all.
export function percent(part, whole) {
  if (!whole || !part) return "0 %";
  return `${Math.min(part < whole ? 99 : 100, Math.max(1, Math.round((100 * part) / whole)))} %`;
}

// Says something to those who listen to the page.
export function announce(sentence) {
  element("live").textContent = sentence;
}

// A sentence below the picture, with something to do about it; an empty one takes it away.
export function notice(sentence, action = null) {
  const box = element("notice");
  const [deed, close] = box.querySelectorAll("button");
  box.querySelector("span").textContent = sentence;
  box.hidden = !sentence;
  box.dataset.about = "";
  deed.hidden = !action;
  deed.textContent = action?.name ?? "";
  deed.onclick = () => {
    notice("");
    action.run();
  };
  close.onclick = () => notice("");
}

// A dialog of a title, contents and named answers; the promise gives the answer's key, or null when
// it is closed with Escape.
export function ask(title, contents, answers) {
  const dialog = element("dialog");
  const buttons = Object.entries(answers).map(([key, name], i) =>
    button(name, () => dialog.close(key), { className: i ? "plain" : "primary" }));
  const heading = el("h2", { id: "dialog-title" }, title);
  dialog.replaceChildren(heading, ...contents, el("div", { className: "answers" }, ...buttons));
  dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue || null);
  });
}

// What the person prefers, kept in this browser where it keeps anything.
export const preferences = {
  values: (() => {
    try {
      return JSON.parse(localStorage.getItem("annotator")) ?? {};
    } catch {
      return {};
    }
  })(),
  get(name, otherwise) {
    return this.values[name] ?? otherwise;
  },
  set(name, value) {
    this.values[name] = value;
    try {
      localStorage.setItem("annotator", JSON.stringify(this.values));
    } catch {
      // A browser that keeps nothing forgets it with the page.
    }
  },
};

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
