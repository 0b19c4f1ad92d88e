import Link from "next/link";
import type { ReactNode } from "react";

import type { EventItem } from "../../events/read-events.ts";
import type { EventSurroundings } from "../../events/read-event-surroundings.ts";
import { eventsHref } from "../../lists/list-hrefs.ts";
import pagers from "../pager.module.css";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

/** Props of `Surroundings`. */
export interface SurroundingsProps {
  event: Pick<EventItem, "accountId" | "deliveryId">;
  surroundings: EventSurroundings;
  nowMs: number;
}

/** Leads to what the event has to do with: its conversation, its person, its dead letters, its replays, repeated deliveries. */
export function Surroundings({ event, surroundings, nowMs }: SurroundingsProps) {
  const { person, previousId, nextId, repeatedBy, deadLetters, replays } = surroundings;
  return (
    <Panel id="surroundings" title="What belongs to it">
      <ul className={pagers["links"]}>
        {previousId !== null && <Item href={`/dashboard/events/${previousId}`}>Earlier in the conversation</Item>}
        {nextId !== null && <Item href={`/dashboard/events/${nextId}`}>Later in the conversation</Item>}
        {person !== null && (
          <Item href={eventsHref({ account: event.accountId, sender: person })}>What the same person sent</Item>
        )}
        <Item href={eventsHref({ deliveryId: event.deliveryId })}>Events of the same delivery</Item>
        {deadLetters.map(({ id, groupId, recordedAt, resolvedAt }) => (
          <Item key={id} href={`/dashboard/dead-letters/${groupId}`}>
            {resolvedAt === null ? "Open" : "Resolved"} dead letter of <Timestamp iso={recordedAt} nowMs={nowMs} />
          </Item>
        ))}
        {replays.map((id) => (
          <Item key={id} href={`/dashboard/replays/${encodeURIComponent(id)}`}>
            Replay <span className={text["mono"]}>{id}</span>
          </Item>
        ))}
        {repeatedBy.map(({ id, receivedAt }) => (
          <Item key={id} href={`/dashboard/deliveries/${id}`}>
            Carried again by the delivery{" "}
            {receivedAt === null ? (
              id
            ) : (
              <>
                of <Timestamp iso={receivedAt} nowMs={nowMs} />
              </>
            )}
          </Item>
        ))}
      </ul>
    </Panel>
  );
}

function Item({ href, children }: { href: string; children: ReactNode }) {
  return (
    <li>
      <Link href={href} prefetch={false}>
        {children}
      </Link>
    </li>
  );
}
