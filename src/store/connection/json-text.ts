import type { Json } from "#instagram/events.ts";

/** JSON as text. `JSON.stringify` overflows the stack on a value of some thousand levels, which is then written without recursion. */
export function jsonText(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    if (thrown instanceof RangeError) return writeFlat(value);
    throw thrown;
  }
}

/** Text between values, as opposed to a value that is a string. */
class Literal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function writeFlat(value: Json): string {
  const parts: string[] = [];
  const pending: (Json | Literal)[] = [value];
  while (pending.length > 0) {
    const next = pending.pop() ?? null;
    if (next instanceof Literal) parts.push(next.text);
    else if (typeof next !== "object" || next === null) parts.push(JSON.stringify(next));
    else pending.push(...members(next).toReversed());
  }
  return parts.join("");
}

function members(value: object): (Json | Literal)[] {
  if (Array.isArray(value)) {
    const items = (value as Json[]).flatMap((item, index) => (index === 0 ? [item] : [new Literal(","), item]));
    return [new Literal("["), ...items, new Literal("]")];
  }
  const entries = Object.entries(value as Record<string, Json>).flatMap(([name, item], index) => [
    new Literal(`${index === 0 ? "" : ","}${JSON.stringify(name)}:`),
    item,
  ]);
  return [new Literal("{"), ...entries, new Literal("}")];
}
