/** The text that a person wrote, as far as the data of an event has one: of a message, a comment, a postback. */
export function eventText(data: unknown): string | null {
  const places = [["message", "text"], ["text"], ["message_edit", "text"], ["postback", "title"], ["value", "text"]];
  for (const place of places) {
    const found = place.reduce<unknown>((value, name) => property(value, name), data);
    if (typeof found === "string" && found !== "") return found;
  }
  return null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
