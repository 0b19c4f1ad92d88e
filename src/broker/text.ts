/** A NUL, or half of a pair of surrogates: Postgres has neither in text. */
const unstorable = /\0|\p{Surrogate}/u;

export function isStorable(text: string): boolean {
  return !unstorable.test(text);
}

export function toStorable(text: string): string {
  return text.replaceAll(new RegExp(unstorable, "gu"), "\u{FFFD}");
}
