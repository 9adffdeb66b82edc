// Elements made of plain text: nothing here, and nothing elsewhere, parses HTML.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A link that leaves the site, or just its text when the address is not http(s).
export function link(address, text) {
  const url = safe(address);
  return url
    ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text)
    : el("span", {}, text);
}

// A link where there is an address, else just the text.
export const linked = (text, address) => (address ? link(address, text) : el("span", {}, text));

// Copies a node's text. Only under https or on localhost do browsers have a clipboard: elsewhere the
// text is selected and copied the old way, or by the visitor.
export async function copied(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(node);
    return document.execCommand("copy");
  }
}

export function safe(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export const number = (value) => value.toLocaleString("en-GB");

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function notice(sentence) {
  const box = document.getElementById("notice");
  box.textContent = sentence;
  box.hidden = !sentence;
}
