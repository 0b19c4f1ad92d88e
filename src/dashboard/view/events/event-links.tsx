import Link from "next/link";

/** What a replay is planned with, see `replay-address`: a replay of fewer conditions would take more than the list shows. */
const replayNames = new Set(
  [
    "kind",
    "account",
    "sender",
    "state",
    "error",
    "deliveryId",
    "runtime",
    "test",
    "standby",
    "drifted",
    "replay",
  ].concat(["from", "to"]),
);

/** A replay has no such condition. */
const unreplayable = new Set(["erased", "unhandled"]);

/** Leads to the plan of a replay of the listed events, and to their export. */
export function EventLinks({ query }: { query: Readonly<Record<string, string>> }) {
  const names = Object.keys(query);
  const isReplayable =
    names.length > 0 && names.every((name) => replayNames.has(name)) && !unreplayable.has(query["state"] ?? "");
  return (
    <>
      {isReplayable && (
        <Link href={`/dashboard/replays/new?${new URLSearchParams(query)}`} prefetch={false}>
          Replay these…
        </Link>
      )}
      <a href={`/api/ops/events?${new URLSearchParams({ ...query, format: "ndjson" })}`} download="events.ndjson">
        Export as NDJSON
      </a>
    </>
  );
}
