// The site's files, read as `butterflies/rendering/points.py` and `chunks.py` describe them.

import { sha256 } from "./sha256.js";

export class Site {
  constructor(info) {
    this.info = info;
    this.kept = new Map();
  }

  static async open() {
    return new Site(await (await found("map.json", { cache: "no-cache" })).json());
  }

  url(path) {
    return `${this.info.version}/${path}`;
  }

  // Every file is fetched once; one that failed may be asked for again.
  once(path, read) {
    if (!this.kept.has(path)) {
      const promise = found(this.url(path)).then(read);
      promise.catch(() => this.kept.delete(path));
      this.kept.set(path, promise);
    }
    return this.kept.get(path);
  }

  points = () => this.once("points.bin", async (r) => readPoints(await r.arrayBuffer()));
  coverage = () => this.once("coverage.bin", async (r) => readCoverage(await r.arrayBuffer()));
  names = () => this.once("names.json", (r) => r.json());
  about = async () => (await found("about.json")).json();

  column(name) {
    return this.once(`columns/${name}.bin`, async (r) => readColumn(await r.arrayBuffer()));
  }

  async representatives(zoom) {
    if (!this.info.representatives.includes(zoom)) return null;
    const path = `representatives/${zoom}.bin`;
    return this.once(path, async (r) => readRepresentatives(await r.arrayBuffer()));
  }

  async card(row) {
    let first = 0;
    for (const [name, count] of Object.entries(this.info.chunks)) {
      if (row < first + count) {
        const { rows, similar, names } = await this.once(`chunks/${name}.json`, (r) => r.json());
        const told = ([assetID, index]) => ({ assetID, name: names[index] });
        const card = rows[row - first];
        return { ...card, row, similar: card.near.map((index) => told(similar[index])) };
      }
      first += count;
    }
    throw new Error(`There is no specimen ${row}.`);
  }

  // The row of an assetID or of a catalogue number (the first of several photographs).
  async find(key) {
    const lower = key.toLowerCase();
    const { ids, numbers } = await this.once(`index/${sha256(lower).slice(0, 2)}.json`, (r) => r.json());
    if (Object.hasOwn(ids, lower)) return ids[lower];
    return Object.hasOwn(numbers, lower) ? numbers[lower][0] : null;
  }

  picture(assetID, folder = "cutouts", suffix = ".webp") {
    const mark = sha256(assetID.toLowerCase());
    return this.url(`${folder}/${mark.slice(0, 2)}/${mark.slice(2, 20)}${suffix}`);
  }
}

async function found(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${path} could not be loaded (${response.status}).`);
  return response;
}

function open(buffer, magic) {
  const view = new DataView(buffer);
  const word = String.fromCharCode(...new Uint8Array(buffer, 0, 4));
  if (word !== magic) throw new Error(`${magic} expected, ${word} found.`);
  return { view, count: view.getUint32(4, true) };
}

export function readPoints(buffer) {
  const { count } = open(buffer, "BPT1");
  const bytes = new Uint8Array(buffer);
  let at = 8;
  const coordinates = () => {
    const values = new Int32Array(count);
    for (let i = 0, value = 0; i < count; i++) {
      let step = 0;
      let scale = 1;
      for (; bytes[at] > 127; scale *= 128) step += (bytes[at++] & 127) * scale;
      step += bytes[at++] * scale;
      value += step % 2 ? -(step + 1) / 2 : step / 2;
      values[i] = value;
    }
    return values;
  };
  return { count, x: coordinates(), y: coordinates() };
}

export function readColumn(buffer) {
  const { view, count } = open(buffer, "BCO1");
  const bytes = new Uint8Array(buffer, 12);
  const codes = Uint16Array.from(bytes.subarray(0, count));
  if (view.getUint32(8, true) === 2) for (let i = 0; i < count; i++) codes[i] += bytes[count + i] << 8;
  return codes;
}

export function readRepresentatives(buffer) {
  const { count } = open(buffer, "BRP1");
  const field = (Kind, index) => new Kind(buffer, 8 + 4 * count * index, count);
  const [row, size, members] = [0, 3, 4].map((index) => field(Uint32Array, index));
  return { count, row, x: field(Int32Array, 1), y: field(Int32Array, 2), size, members };
}

export function readCoverage(buffer) {
  const { count } = open(buffer, "BCV1");
  const starts = [8];
  for (let z = 0; z < count; z++) starts.push(starts[z] + Math.ceil(4 ** z / 8));
  const bytes = new Uint8Array(buffer);
  const has = (z, x, y) => {
    if (z < 0 || z >= count || x < 0 || y < 0 || x >= 2 ** z || y >= 2 ** z) return false;
    const bit = y * 2 ** z + x;
    return Boolean(bytes[starts[z] + Math.floor(bit / 8)] & (1 << (bit % 8)));
  };
  return { zooms: count, has };
}
