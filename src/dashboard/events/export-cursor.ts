import { encoder } from "#platform/bytes.ts";
import { signInternal, verifyInternal } from "#platform/internal-signature.ts";

/** What the cursors of exports are signed with. */
export interface ExportCursorOptions {
  /** RELAY_SECRET, the newest first. Throws `ENV_INVALID` without one: then each page is an export of its own. */
  readSecrets: () => readonly string[];
  nowMs: number;
}

const purpose = "events.export";

/** The cursor with which a page names the next: it says for five minutes that it goes on with an export that has its row. */
export async function signExportCursor(
  cursor: string,
  query: URLSearchParams,
  { readSecrets, nowMs }: ExportCursorOptions,
): Promise<string> {
  const [secret] = secretsOf(readSecrets);
  if (secret === undefined) return cursor;
  return `${cursor}.${await signInternal(secret, purpose, signedOf(cursor, query), nowMs)}`;
}

/** The cursor without its signature. */
export function bareCursor(cursor: string): string {
  return cursor.split(".", 1)[0] ?? "";
}

/** Whether the query's cursor was given out by a page of the same export, within the last five minutes. */
export async function continuesExport(
  query: URLSearchParams,
  { readSecrets, nowMs }: ExportCursorOptions,
): Promise<boolean> {
  const cursor = query.get("cursor") ?? "";
  const bare = bareCursor(cursor);
  const signature = cursor.slice(bare.length + 1);
  for (const secret of secretsOf(readSecrets))
    if (await verifyInternal(secret, purpose, signedOf(bare, query), signature, nowMs)) return true;
  return false;
}

/** The cursor belongs to one question alone. */
function signedOf(cursor: string, query: URLSearchParams): Uint8Array {
  const others = [...query].filter(([name]) => name !== "cursor").map((pair) => pair.join("="));
  return encoder.encode([cursor, ...others.toSorted()].join("\n"));
}

function secretsOf(readSecrets: ExportCursorOptions["readSecrets"]): readonly string[] {
  try {
    return readSecrets();
  } catch {
    return [];
  }
}
