import { isStorable } from "./text.ts";

const ascii = /^[\t\u0020-\u007e]*$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A header's value from the wire: UTF-8 if its bytes are that, as QStash reads them, else one character for each byte. */
export function decodeHeaderText(wire: string): string {
  if (ascii.test(wire)) return wire;
  try {
    return utf8.decode(Buffer.from(wire, "latin1"));
  } catch {
    return wire;
  }
}

/** The reverse: Node writes one byte for each character, so the text becomes its UTF-8 bytes first. */
export function encodeHeaderText(text: string): string {
  return ascii.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** Whether a header of this name and value can be sent (RFC 9110, 5.5) and stored. */
export function isSendableHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && /^[\t\u0020-\u007e\u0080-\uffff]*$/.test(value) && isStorable(value);
}
