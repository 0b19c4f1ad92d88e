import { RelayError } from "#platform/errors.ts";
import type { Database } from "#store/connection/database.ts";

import { readEventRows } from "./read-events.ts";

/**
 * The data of one event, byte for byte as it is stored: parsing it would drop repeated keys and rewrite numbers. Throws
 * `NOT_FOUND` for an unknown id.
 */
export async function answerPayload(db: Database, id: number): Promise<Response> {
  const [row] = await readEventRows(db, [id], "whole");
  if (row === undefined) throw new RelayError("NOT_FOUND", "No event with this id is stored");
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "content-disposition": `attachment; filename="event-${id}.json"`,
    "cache-control": "no-store",
  };
  return new Response(row.data, { headers });
}
