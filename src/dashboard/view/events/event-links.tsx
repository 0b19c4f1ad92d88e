import Link from "next/link";

/** What a replay is planned with, see `planRequest`; a replay of other conditions would take more than the list shows. */
const replayNames = new Set(["kind", "account", "sender", "state", "error", "deliveryId", "from", "to"]);
/** A handled event can be replayed, but no condition of a replay asks for it. */
const replayStates = new Set(["open", "retrying", "dead"]);

/** Leads to the plan of a replay of the listed events, and to their export. */
export function EventLinks({ query }: { query: Readonly<Record<string, string>> }) {
  const conditions = Object.entries(query);
  const isReplayable =
    conditions.length > 0 &&
    conditions.every(([name, value]) => replayNames.has(name) && (name !== "state" || replayStates.has(value)));
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
