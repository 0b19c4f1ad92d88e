import type { EventItem } from "../read-events.ts";
import { StateMark, KindBadge } from "./badges.tsx";
import styles from "./event-details.module.css";
import figures from "./facts.module.css";
import text from "./text.module.css";
import { Flags } from "./events-table.tsx";
import { Timestamp } from "./timestamp.tsx";

/** One event with the item as Meta sent it. */
export function EventDetails({ event, open, nowMs }: { event: EventItem; open: boolean; nowMs: number }) {
  return (
    <details className={styles["event"]} open={open}>
      <summary>
        <KindBadge kind={event.kind} /> <Flags {...event} />
        <span className={styles["eventKey"]}>{event.key}</span>
        <StateMark {...event} />
      </summary>
      <dl className={`${figures["facts"]} ${styles["facts"]}`}>
        <Fact name="Account" value={event.accountId} />
        <Fact name="Sender" value={event.senderId} />
        <Fact name="Recipient" value={event.recipientId} />
        <TimeFact name="Occurred" iso={event.occurredAt} nowMs={nowMs} />
        <TimeFact name="Sent by Meta" iso={event.sentAt} nowMs={nowMs} />
        <TimeFact name="Ingested" iso={event.ingestedAt} nowMs={nowMs} />
        <TimeFact name="Handled" iso={event.handledAt} nowMs={nowMs} />
      </dl>
      {/* A region that scrolls must be reachable by keyboard. */}
      <pre
        className={styles["json"]}
        tabIndex={0}
        aria-label={`Event ${event.id} ${event.erasedAt === null ? "as Meta sent it" : "erased"}`}
      >
        {JSON.stringify(event.data, null, 2)}
      </pre>
    </details>
  );
}

function Fact({ name, value }: { name: string; value: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={text["mono"]}>{value ?? "–"}</dd>
    </div>
  );
}

function TimeFact({ name, iso, nowMs }: { name: string; iso: string | null; nowMs: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{iso === null ? "–" : <Timestamp iso={iso} nowMs={nowMs} />}</dd>
    </div>
  );
}
