/**
 * The address, or null if it is none. In place of `URL.canParse`: that of Node 20 and 22 refuses every address with a
 * character from U+0080 to U+00FF, such as the host "bücher.example", once it was called a few thousand times.
 */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
