/** Uniform in [0, 1), the same sequence for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What goes wrong with bytes on their way, and what an attacker would try. */
type Mutation = (bytes: Buffer, below: (limit: number) => number, other: Buffer) => Buffer;

const fragments = [
  "\uFEFF",
  "\0",
  "\\u0000",
  "\\ud83d",
  "\\/",
  '"__proto__":{"messaging":[]},',
  '"constructor":null,',
  '"messaging":[],',
  '"entry":[],',
  "12345678901234567890",
  "1e999",
  "-0",
  "[".repeat(200),
  '{"a":'.repeat(100),
  "null",
  '"',
  "\\",
  "}",
  "]",
  ",",
];

const mutations: Mutation[] = [
  // A bit flips.
  (bytes, below) => {
    const copy = Buffer.from(bytes);
    const at = below(bytes.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << below(8));
    return copy;
  },
  // A range is missing.
  (bytes, below) => replace(bytes, below, 40, Buffer.alloc(0)),
  // It breaks off.
  (bytes, below) => bytes.subarray(0, below(bytes.length)),
  // A range comes twice.
  (bytes, below) => {
    const from = below(bytes.length);
    const range = bytes.subarray(from, from + below(200));
    return insert(bytes, below(bytes.length + 1), range);
  },
  // Something is put in between.
  (bytes, below) => insert(bytes, below(bytes.length + 1), Buffer.from(fragments[below(fragments.length)] ?? "")),
  // The same, where a value or a member may stand.
  (bytes, below) => {
    const places = [...bytes.toString("latin1").matchAll(/[[{,:]/g)].map(({ index }) => index + 1);
    const at = places[below(places.length)] ?? 0;
    return insert(bytes, at, Buffer.from(fragments[below(fragments.length)] ?? ""));
  },
  // A number grows.
  (bytes, below) => {
    const text = bytes.toString("latin1");
    const numbers = [...text.matchAll(/:\d+/g)];
    const found = numbers[below(Math.max(1, numbers.length))];
    return found === undefined ? bytes : insert(bytes, found.index + 1, Buffer.from("9".repeat(1 + below(30))));
  },
  // A value is wrapped, up to far too deep.
  (bytes, below) => {
    const text = bytes.toString("latin1");
    const strings = [...text.matchAll(/:("[^"\\]*")/g)];
    const found = strings[below(Math.max(1, strings.length))];
    if (found?.[1] === undefined) return bytes;
    const depth = 1 + below(150);
    const wrapped = `:${"[".repeat(depth)}${found[1]}${"]".repeat(depth)}`;
    return Buffer.from(text.slice(0, found.index) + wrapped + text.slice(found.index + found[0].length), "latin1");
  },
  // Half of it is another delivery.
  (bytes, below, other) => Buffer.concat([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))]),
  // A range is noise.
  (bytes, below) => replace(bytes, below, 8, Buffer.from(Array.from({ length: below(8) }, () => below(256)))),
];

/** The bytes with one to three things wrong. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  const below = (limit: number) => Math.floor(random() * limit);
  let mutated: Buffer = Buffer.from(bytes);
  for (let count = 1 + below(3); count > 0; count -= 1) {
    const mutation = mutations[below(mutations.length)];
    if (mutation !== undefined) mutated = mutation(mutated, below, Buffer.from(other));
  }
  return new Uint8Array(mutated);
}

function insert(bytes: Buffer, at: number, part: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
}

function replace(bytes: Buffer, below: (limit: number) => number, lengthMax: number, part: Buffer): Buffer {
  const from = below(bytes.length);
  return Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(from + 1 + below(lengthMax))]);
}
