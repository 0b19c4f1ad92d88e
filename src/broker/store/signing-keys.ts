import { randomBytes } from "node:crypto";

import type { Pool } from "pg";

export interface SigningKeyPair {
  current: string;
  next: string;
}

/** The keys that deliveries are signed with. */
export interface SigningKeys {
  load(): Promise<void>;
  current(): SigningKeyPair;
  /** The next key becomes the current one, and a new one the next; resolves with the new pair. */
  rotate(): Promise<SigningKeyPair>;
}

/**
 * Begins with the pair that the environment gives. After a rotation the rotated pair stays in force over restarts, until
 * the environment gives another pair than before: that of the rotation, copied, or a new one.
 */
export function createSigningKeys(pool: Pool, given: SigningKeyPair): SigningKeys {
  let pair = given;
  return {
    async load() {
      const { rows } = await pool.query<SigningKeyPair>(
        "select current, next from signing_keys where given_current = $1 and given_next = $2",
        [given.current, given.next],
      );
      pair = rows[0] ?? given;
    },

    current: () => pair,

    async rotate() {
      // Upstash's own keys look like this.
      const rotated = { current: pair.next, next: `sig_${randomBytes(21).toString("base64url")}` };
      await pool.query(
        `insert into signing_keys (given_current, given_next, current, next) values ($1, $2, $3, $4)
         on conflict (only_row) do update set given_current = $1, given_next = $2, current = $3, next = $4`,
        [given.current, given.next, rotated.current, rotated.next],
      );
      pair = rotated;
      return pair;
    },
  };
}
