import { parseJson } from "#platform/parse-json.ts";

import { jsonForms } from "./json-styles.ts";
import type { JsonStyle } from "./rewrite-json.ts";
import { splitAtStrings } from "./split-at-strings.ts";

/** A body that may have been signed instead of the one that was received. */
export interface SignedForm {
  difference: "line-end" | "bom" | "recoded" | "rewritten" | "longer-body";
  bytes: Uint8Array;
  /** Describes the form where there are several of a kind. */
  detail?: string;
}

const encoder = new TextEncoder();
const mark = Uint8Array.of(0xef, 0xbb, 0xbf);

/** Undoes the changes that known senders and proxies make to a body. Each form costs a copy, so they are made one by one. */
export function* signedForms(body: Uint8Array, announcedBytes: number | null): Generator<SignedForm> {
  for (const end of ["\n", "\r\n"].map((text) => encoder.encode(text))) {
    yield { difference: "line-end", bytes: join(body, end) };
    const start = body.byteLength - end.byteLength;
    if (equal(body.subarray(Math.max(0, start)), end)) yield { difference: "line-end", bytes: body.subarray(0, start) };
  }
  const hasMark = equal(body.subarray(0, mark.byteLength), mark);
  yield { difference: "bom", bytes: hasMark ? body.subarray(mark.byteLength) : join(mark, body) };

  const text = decode(body);
  if (text !== null && /[\u0080-\u00ff]/.test(text) && !/[\u0100-\uffff]/.test(text)) {
    yield { difference: "recoded", bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)) };
  }
  if (text !== null && parseJson(text) !== undefined) {
    for (const { form, style } of jsonForms(text)) {
      if (form !== text) yield { difference: "rewritten", bytes: encoder.encode(form), detail: describe(style) };
    }
  }
  for (const size of new Set([...limits, announcedBytes ?? 0])) {
    if (size === 0 || size >= body.byteLength) continue;
    yield { difference: "longer-body", bytes: body.subarray(0, size), detail: `its first ${size} bytes` };
  }
}

/** Default limits of frameworks and proxies: Express 100 kB, nginx 1 MB, Vercel 4.5 MB, Next's proxy 10 MB. */
const limits = [65_536, 100_000, 102_400, 1_000_000, 1_048_576, 3_145_728, 4_194_304, 4_718_592, 10_485_760];

function describe({ separators, slashes, unicode, ascii }: JsonStyle): string {
  const beyond = { lower: "\\u00e9 beyond ASCII", upper: "\\u00E9 beyond ASCII", raw: "é beyond ASCII" }[unicode];
  const spaces = separators === "compact" ? "no spaces" : "a space after commas and colons";
  const escapes = [...(ascii ?? [])].map(([character, escape]) => `, ${escape} for ${character}`).join("");
  return `${spaces}, ${slashes === "escaped" ? "\\/" : "/"} for slashes, ${beyond}${escapes}`;
}

/** Whether the end of a body is missing: it is shorter than announced, or it is not JSON and as long as a known limit or left open. */
export function isCut(body: Uint8Array, announcedBytes: number | null): boolean {
  if (announcedBytes !== null && body.byteLength < announcedBytes) return true;
  const text = new TextDecoder().decode(body);
  return parseJson(text) === undefined && (limits.includes(body.byteLength) || isLeftOpen(text));
}

function isLeftOpen(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  const parts = splitAtStrings(text);
  const outside = parts.filter((_, index) => index % 2 === 0).join("");
  const count = (brackets: RegExp) => outside.match(brackets)?.length ?? 0;
  return parts.length % 2 === 0 || count(/[[{]/g) > count(/[\]}]/g);
}

function decode(body: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, index) => byte === other[index]);
}
