import type { lists } from "./position.ts";

/** Which lists hold something of these kinds. */
export function wantsList(kinds: readonly string[]): (list: (typeof lists)[number]) => boolean {
  return (list) => kinds.some((kind) => (kind === "comment") === (list === "media"));
}
