/** A NUL, or half of a pair of surrogates: Postgres has neither in text. */
const unstorable = /\0|\p{Surrogate}/u;

/** Whether Postgres can store the text as it is. */
export function isStorable(text: string): boolean {
  return !unstorable.test(text);
}

/** The text with U+FFFD in place of each character that Postgres refuses. */
export function toStorable(text: string): string {
  return text.replaceAll(new RegExp(unstorable, "gu"), "\u{FFFD}");
}
