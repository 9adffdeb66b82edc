// The server's answers. Its texts are sentences to show, never HTML.

export const EDITED = 1600; // the longer side of the photograph that is edited, in pixels

// What the server refused (`status` 400 to 599), or that it could not be reached (`status` 0).
export class Refusal extends Error {
  constructor(status, sentence, version = null) {
    super(sentence);
    Object.assign(this, { status, version });
  }

  get passing() {
    return this.status === 0 || this.status >= 500;
  }
}

async function answer(path, options = {}) {
  let response;
  try {
    response = await fetch(`api/${path}`, { cache: "no-store", ...options });
  } catch {
    throw new Refusal(0, "The server does not answer.");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refusal(
    response.status,
    typeof told?.sentence === "string" ? told.sentence : `The server answered ${response.status}.`,
    told?.version ?? null,
  );
}

const read = async (path) => (await answer(path)).json();

async function write(method, path, body, headers = {}) {
  const response = await answer(path, { method, body, headers: { "X-Annotator": "1", ...headers } });
  return response.headers.get("Content-Type")?.includes("json") ? response.json() : response;
}

const named = (assetID) => encodeURIComponent(assetID);

export const state = () => read("state");
export const item = (assetID) => read(`item/${named(assetID)}`);
export const queue = (asked) => read(`queue?${new URLSearchParams(asked)}`);
export const thumb = (assetID, edition) => `api/thumb/${named(assetID)}?edition=${edition}`;

export async function photo(assetID) {
  const path = `photo/${named(assetID)}?max=${EDITED}`;
  return createImageBitmap(await (await answer(path, { cache: "default" })).blob());
}

export const mask = async (assetID, kind) =>
  (await answer(`mask/${named(assetID)}?kind=${kind}`)).blob();

// Sends a mask; `kind` is "draft" or "mask". Gives the version that it has now.
export async function send(kind, assetID, body, version, method) {
  const headers = { "Content-Type": "image/png", "X-Version": String(version), "X-Method": method };
  return (await write("PUT", `${kind}/${named(assetID)}`, body, headers)).version;
}

export const remove = (kind, assetID, version) =>
  write("DELETE", `${kind}/${named(assetID)}`, undefined, { "X-Version": String(version) });

export const judge = (assetID, judgement, version) =>
  write("PUT", `judgement/${named(assetID)}`, JSON.stringify({ judgement, version }), {
    "Content-Type": "application/json",
  });

export async function grow(assetID, body) {
  const response = await write("POST", `grow/${named(assetID)}`, body, { "Content-Type": "image/png" });
  return response.blob();
}
