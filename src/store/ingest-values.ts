import type { EventRow } from "./event-to-store.ts";
import type { IngestParameter } from "./ingest-statement.ts";
import type { Values } from "./named-statement.ts";

export type EventParameter =
  | "hashes"
  | "unsentHashes"
  | "keys"
  | "kinds"
  | "accountIds"
  | "senderIds"
  | "recipientIds"
  | "occurredAts"
  | "sentAts"
  | "flags"
  | "data"
  | "conversations"
  | "findingPlaces"
  | "findings"
  | "findingPaths"
  | "findingShapes";

/** Bits of `flags`. */
const eventFlags = { standby: 1, test: 2, drifted: 4 } as const;

/** The parameters of the ingest statement that hold a batch's events. */
export function eventValues(rows: readonly EventRow[]): Values<Extract<IngestParameter, EventParameter>> {
  const found = rows.flatMap(({ findings }, index) => findings.map((finding) => ({ place: index + 1, ...finding })));
  return {
    hashes: rows.map(({ hash }) => hash),
    unsentHashes: rows.map(({ unsentHash }) => unsentHash),
    // Postgres stores no NUL; the hash, which makes the event unique, is of the whole key.
    keys: rows.map(({ event }) => event.key.replaceAll("\0", "\uFFFD")),
    kinds: rows.map(({ event }) => event.kind),
    accountIds: rows.map(({ accountId }) => accountId),
    senderIds: rows.map(({ senderId }) => senderId),
    recipientIds: rows.map(({ recipientId }) => recipientId),
    occurredAts: rows.map(({ occurredAt }) => occurredAt?.toISOString()),
    sentAts: rows.map(({ sentAt }) => sentAt?.toISOString()),
    flags: rows.map(
      ({ event, drifted }) =>
        (event.standby ? eventFlags.standby : 0) +
        (event.test ? eventFlags.test : 0) +
        (drifted ? eventFlags.drifted : 0),
    ),
    data: rows.map(({ data }) => data),
    conversations: rows.map(({ conversation }) => conversation),
    findingPlaces: found.map(({ place }) => place),
    findings: found.map(({ finding }) => finding),
    findingPaths: found.map(({ path }) => path.replaceAll("\0", "\uFFFD")),
    findingShapes: found.map(({ shape }) => shape),
  };
}
