import * as v from "valibot";

import { RelayError } from "#platform/errors.ts";
import { type OpsToken, reaches } from "#platform/ops-token.ts";
import type { Database } from "#store/connection/database.ts";
import { endSessionsOf } from "#store/operators/sessions.ts";

/** The body of `POST /api/ops/sessions/end`: the name of a token, the caller's own unless given. */
export const endSessionsRequest = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,40}$/, "must be the name of a token"))),
});

export interface EndSessionsOptions {
  db: Database;
  caller: Pick<OpsToken, "name" | "role">;
  /** The names of all tokens. */
  names: readonly string[];
  nowMs: number;
}

/**
 * Ends all sessions of a token, in every process at once; the token itself stays valid. Throws `FORBIDDEN` for another's
 * without the role admin, `NOT_FOUND` for an unknown name, and `STORE_UNAVAILABLE`.
 */
export async function endSessions(
  { name }: v.InferOutput<typeof endSessionsRequest>,
  { db, caller, names, nowMs }: EndSessionsOptions,
): Promise<{ name: string; ended: number }> {
  const of = name ?? caller.name;
  if (of !== caller.name && !reaches(caller.role, "admin")) {
    const because = `The sessions of "${of}" can be ended by "${of}" and by the role admin`;
    throw new RelayError("FORBIDDEN", `${because}: leave the name out to end your own`);
  }
  if (!names.includes(of)) {
    throw new RelayError("NOT_FOUND", `No token has the name "${of}"; a token that is taken out has no valid session`);
  }
  return { name: of, ended: await endSessionsOf(db, of, nowMs) };
}
