import Link from "next/link";
import type { ReactNode } from "react";

import { runtimeLabel } from "../../format.ts";
import type { EventItem } from "../../events/read-events.ts";
import { eventsHref } from "../../lists/list-hrefs.ts";
import figures from "../facts.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

/** Props of `EventFacts`. */
export interface EventFactsProps {
  event: Omit<EventItem, "data">;
  deployment: string | null;
  batch: number;
  nowMs: number;
}

/** Who, when and where; ids lead to what else has them. */
export function EventFacts({ event, deployment, batch, nowMs }: EventFactsProps) {
  const { accountId, senderId, recipientId, deliveryId, runtime } = event;
  const time = (iso: string | null) => (iso === null ? "–" : <Timestamp iso={iso} nowMs={nowMs} />);
  return (
    <dl className={figures["facts"]}>
      <div>
        <dt>Account</dt>
        <dd className={text["mono"]}>
          <Link href={eventsHref({ account: accountId })} prefetch={false}>
            {accountId}
          </Link>
        </dd>
      </div>
      <div>
        <dt>Sender</dt>
        <dd className={text["mono"]}>
          {senderId === null ? (
            "–"
          ) : (
            <Link href={eventsHref({ sender: senderId })} prefetch={false}>
              {senderId}
            </Link>
          )}
        </dd>
      </div>
      <Fact name="Recipient" value={<span className={text["mono"]}>{recipientId ?? "–"}</span>} />
      <Fact name="Occurred" value={time(event.occurredAt)} />
      <Fact name="Sent by Meta" value={time(event.sentAt)} />
      <Fact name="Ingested" value={time(event.ingestedAt)} />
      <Fact name="Runtime" value={runtime === null ? "–" : runtimeLabel(runtime)} />
      <Fact name="Deployment" value={deployment ?? "–"} />
      <Fact name="Batch" value={String(batch)} />
      <Fact
        name="Delivery"
        value={
          <Link href={`/dashboard/deliveries/${deliveryId}`} prefetch={false} className={text["mono"]}>
            {deliveryId}
          </Link>
        }
        rest
      />
    </dl>
  );
}

function Fact({ name, value, rest }: { name: string; value: ReactNode; rest?: boolean }) {
  return (
    <div data-rest={rest}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
