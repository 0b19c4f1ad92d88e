import type { Values } from "../connection/named-statement.ts";
import type { EventRow } from "./event-to-store.ts";
import type { IngestParameter } from "./ingest-statement.ts";

export type EventParameter =
  | "hashes"
  | "unsentHashes"
  | "keys"
  | "kinds"
  | "accountIds"
  | "senderIds"
  | "recipientIds"
  | "occurredMs"
  | "sentMs"
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
  return {
    hashes: plainArray(rows.map(({ hash }) => hash)),
    unsentHashes: plainArray(rows.map(({ unsentHash }) => unsentHash)),
    // Postgres stores no NUL; the hash, which makes the event unique, is of the whole key.
    keys: rows.map(({ event }) => event.key.replaceAll("\0", "\uFFFD")),
    kinds: rows.map(({ event }) => event.kind),
    accountIds: rows.map(({ accountId }) => accountId),
    senderIds: rows.map(({ senderId }) => senderId),
    recipientIds: rows.map(({ recipientId }) => recipientId),
    occurredMs: plainArray(rows.map(({ occurredAt }) => occurredAt?.getTime() ?? null)),
    sentMs: plainArray(rows.map(({ sentAt }) => sentAt?.getTime() ?? null)),
    flags: plainArray(
      rows.map(
        ({ event, drifted }) =>
          (event.standby ? eventFlags.standby : 0) +
          (event.test ? eventFlags.test : 0) +
          (drifted ? eventFlags.drifted : 0),
      ),
    ),
    data: `[${rows.map(({ data }) => data).join(",")}]`,
    conversations: rows.map(({ conversation }) => conversation),
    ...findingValues(rows),
  };
}

const noFindings = { findingPlaces: "{}", findings: "{}", findingPaths: "{}", findingShapes: "{}" };

function findingValues(rows: readonly EventRow[]): Values<keyof typeof noFindings> {
  if (rows.every(({ findings }) => findings.length === 0)) return noFindings;
  const found = rows.flatMap(({ findings }, index) => findings.map((finding) => ({ place: index + 1, ...finding })));
  return {
    findingPlaces: plainArray(found.map(({ place }) => place)),
    findings: found.map(({ finding }) => finding),
    findingPaths: found.map(({ path }) => path.replaceAll("\0", "\uFFFD")),
    findingShapes: found.map(({ shape }) => shape),
  };
}

/** A Postgres array of numbers or UUIDs, of which nothing is to be quoted: the driver would look at each character. */
export function plainArray(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}
