import { RelayError } from "#platform/errors.ts";

/** The id of a row in an address. Throws `NOT_FOUND` for what can be none. */
export function parseRowId(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new RelayError("NOT_FOUND", "There is nothing with this id");
  }
  return Number(text);
}
