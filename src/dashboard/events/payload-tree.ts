/** A part of a JSON value as it is shown: no more of it than a page can carry. */
export interface TreeNode {
  /** The field's name, or the item's index; null for the root. */
  name: string | null;
  /** Where it is in the whole value. https://www.rfc-editor.org/rfc/rfc6901 */
  pointer: string;
  /** A text, number, boolean or null as JSON, with what would not be seen escaped; null for an object or array. */
  text: string | null;
  /** Of an object or array: what it is, its fields or items here, how many there are, and where the next ones begin. */
  inside: { isArray: boolean; children: TreeNode[]; count: number; nextFrom: number | null } | null;
}

export interface TreeOptions {
  /** The part to show, as a pointer; what is not there shows the whole. */
  at: string;
  /** The first of its fields or items to show. */
  from: number;
}

export interface PayloadTree {
  root: TreeNode;
  /** Whether an integer may have been sent as a number: those beyond ±(2^53−1) are kept as strings of their digits. */
  hasLargeIntegers: boolean;
}

const childrenMax = 100;
const nodesMax = 2_000;
const charactersMax = 2_000;

/** The tree of a value from `at` on: a hundred fields or items of each object or array, two thousand in all. */
export function payloadTree(value: unknown, { at, from }: TreeOptions): PayloadTree {
  const found = find(value, at);
  const walk = { left: nodesMax, hasLargeIntegers: false };
  const root = found === undefined ? nodeOf(value, null, "", 0, walk) : nodeOf(found.value, found.name, at, from, walk);
  return { root, hasLargeIntegers: walk.hasLargeIntegers };
}

/** The pointers of the values around the one at `at`, the whole first. */
export function pointersTo(at: string): { name: string; pointer: string }[] {
  const names = at.split("/").slice(1);
  return names.map((name, index) => ({ name: unescape(name), pointer: `/${names.slice(0, index + 1).join("/")}` }));
}

interface Walk {
  left: number;
  hasLargeIntegers: boolean;
}

function nodeOf(value: unknown, name: string | null, pointer: string, from: number, walk: Walk): TreeNode {
  walk.left -= 1;
  if (typeof value !== "object" || value === null) {
    walk.hasLargeIntegers ||= typeof value === "string" && isLargeInteger(value);
    return { name, pointer, text: showScalar(value), inside: null };
  }
  const fields = Object.entries(value);
  const start = Math.min(from, Math.max(0, fields.length - 1));
  const children: TreeNode[] = [];
  let index = start;
  for (; index < fields.length && index < start + childrenMax && walk.left > 0; index += 1) {
    const [field, inner] = fields[index] ?? ["", null];
    children.push(nodeOf(inner, field, `${pointer}/${escape(field)}`, 0, walk));
  }
  const nextFrom = index < fields.length ? index : null;
  return {
    name,
    pointer,
    text: null,
    inside: { isArray: Array.isArray(value), children, count: fields.length, nextFrom },
  };
}

function find(value: unknown, at: string): { value: unknown; name: string | null } | undefined {
  let here = value;
  let name: string | null = null;
  for (const part of at.split("/").slice(1)) {
    name = unescape(part);
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, name)) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return { value: here, name };
}

/** Control characters, what changes the direction of text, and what has no width: a payload must not look like another one. */
const unseen = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** A text with what would not be seen as the escapes of JSON. */
export function showUnseen(text: string): string {
  return text.replace(unseen, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function showScalar(value: unknown): string {
  if (typeof value !== "string" || value.length <= charactersMax) return showUnseen(JSON.stringify(value));
  return `${showUnseen(JSON.stringify(value.slice(0, charactersMax)))} … ${value.length} characters`;
}

function isLargeInteger(text: string): boolean {
  return /^-?\d{16,}$/.test(text) && !Number.isSafeInteger(Number(text));
}

function escape(name: string): string {
  return name.replace(/~/g, "~0").replace(/\//g, "~1");
}

function unescape(part: string): string {
  return part.replace(/~1/g, "/").replace(/~0/g, "~");
}
