// Bodies that a queue must hand over unchanged.

/** Small enough for every queue, in the form in which it carries a body. */
const pieceBytesMax = 48_000;

/**
 * Text as UTF-8 that has every code point of the first plane in it, the ends of every further one, and as escapes what
 * JSON writes so: NUL, the other control characters and halves of surrogate pairs; also bytes that are no text.
 */
export function everyCharacter(): Uint8Array<ArrayBuffer>[] {
  const points: number[] = [];
  for (let point = 0; point <= 0xffff; point += 1) if (point < 0xd800 || point > 0xdfff) points.push(point);
  for (let plane = 1; plane <= 16; plane += 1) points.push(plane * 0x10000, plane * 0x10000 + 0xffff);
  const escaped = JSON.stringify({
    text: "\u0000\u0008\u001f\ud83d\ude00 \ud83d \ude00 \ufffe\uffff\u2028</m>]]>&#0;",
  });
  const whole = `${escaped}${String.fromCodePoint(0x1f600, 0x1f9d1, 0x200d, 0x1f680)}`;
  const pieces: string[] = [whole];
  let piece = "";
  for (const point of points) {
    piece += String.fromCodePoint(point);
    // A character has up to four bytes.
    if (piece.length * 4 > pieceBytesMax - 8) {
      pieces.push(piece);
      piece = "";
    }
  }
  // Bytes that are no text, and a mark that decoders drop.
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);
  return [bytes, ...[...pieces, piece, "\ufeff{}"].map((text) => new TextEncoder().encode(text))];
}

/** JSON of exactly so many bytes. */
export function jsonOf(bytes: number, mark: string): Uint8Array<ArrayBuffer> {
  const frame = JSON.stringify({ mark, text: "" }).length;
  return new TextEncoder().encode(JSON.stringify({ mark, text: "x".repeat(bytes - frame) }));
}

/** To compare bodies by: a difference is shown shorter than the bodies. */
export function nameOf(body: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of body) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${body.byteLength} bytes, ${hash.toString(16)}`;
}
