// Masks that the server does not have yet, kept in this browser: they outlive the page, even when the
// server is gone too. A browser that keeps nothing only loses this second safety.

const STORE = "unsent";

function request(act) {
  return new Promise((resolve, reject) => {
    act.onsuccess = () => resolve(act.result);
    act.onerror = () => reject(act.error);
  });
}

let opened = null;

function open() {
  opened ??= (() => {
    const opening = indexedDB.open("annotator", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    return request(opening);
  })();
  return opened;
}

async function using(mode, act) {
  try {
    return await request(act((await open()).transaction(STORE, mode).objectStore(STORE)));
  } catch {
    return null;
  }
}

// `place` names a photograph of a collection; `kept` is {blob, version, method}.
export const keep = (place, kept) => using("readwrite", (store) => store.put(kept, place));
export const kept = (place) => using("readonly", (store) => store.get(place));
export const forget = (place) => using("readwrite", (store) => store.delete(place));
