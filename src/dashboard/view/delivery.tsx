import { Badge, Group } from "@mantine/core";
import Link from "next/link";

import { formatCount } from "../format.ts";
import type { DeliveryDetails, DeliveryJourney } from "../read-delivery.ts";
import type { EventPage } from "../read-events.ts";
import { AttemptsPanel, HandlersPanel } from "./attempts.tsx";
import { OutcomeBadge } from "./badges.tsx";
import { RuntimeMark } from "./runtime-mark.tsx";
import pagers from "./pager.module.css";
import text from "./text.module.css";
import { DeliveryFacts } from "./delivery-facts.tsx";
import { EventDetails } from "./event-details.tsx";
import { Journey } from "./journey.tsx";
import { Pair, Panel } from "./panel.tsx";

/** Props of `Delivery`. */
export interface DeliveryProps {
  journey: DeliveryJourney;
  details: DeliveryDetails;
  page: EventPage;
  nowMs: number;
}

/** The page of one delivery. */
export function Delivery({ journey, details, page, nowMs }: DeliveryProps) {
  return (
    <>
      <nav aria-label="Breadcrumb">
        <Link href="/dashboard" prefetch={false}>
          ← Overview
        </Link>
      </nav>
      <Group justify="space-between" align="end" gap="14px 24px">
        <div>
          <h1 className={text["pageTitle"]}>Delivery</h1>
          <p className={`${text["pageHint"]} ${text["mono"]} ${text["breakable"]}`}>{journey.id}</p>
        </div>
        <Group gap={10}>
          <RuntimeMark runtime={journey.runtime} />
          <OutcomeBadge outcome={journey.outcome} />
          {journey.probe && (
            <Badge variant="light" color="gray" size="sm" tt="none">
              probe
            </Badge>
          )}
        </Group>
      </Group>
      <Pair>
        <Panel id="journey" title="Journey">
          <Journey journey={journey} />
        </Panel>
        <Panel id="facts" title="Facts">
          <DeliveryFacts journey={journey} details={details} />
        </Panel>
      </Pair>
      <AttemptsPanel journey={journey} nowMs={nowMs} />
      <HandlersPanel handlers={journey.handlers} nowMs={nowMs} />
      <DeliveredEvents journey={journey} page={page} nowMs={nowMs} />
    </>
  );
}

function DeliveredEvents({ journey, page, nowMs }: Pick<DeliveryProps, "journey" | "page" | "nowMs">) {
  return (
    <Panel
      id="events"
      title="Events"
      aside={
        journey.events !== null && (
          <span className={text["dimmed"]}>{formatCount(journey.events)} in this delivery</span>
        )
      }
    >
      {page.events.length === 0 ? (
        <p className={text["nothing"]}>
          {journey.ingestedAt === null ? "Its events are not stored yet." : "It has no events."}
        </p>
      ) : (
        page.events.map((event) => (
          <EventDetails key={event.id} event={event} open={page.events.length === 1} nowMs={nowMs} />
        ))
      )}
      {page.nextCursor !== null && (
        <nav aria-label="Pages of events" className={pagers["pager"]}>
          <Link href={`?cursor=${page.nextCursor}#events`} prefetch={false}>
            More events
          </Link>
        </nav>
      )}
    </Panel>
  );
}
