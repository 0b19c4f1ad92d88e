import { Badge, Group } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

import { attemptsMax } from "../../deliveries/read-delivery-attempts.ts";
import type { DeliveryAttempt } from "../../deliveries/read-delivery-attempts.ts";
import { formatCount } from "../../format.ts";
import type { DeliveryDetails, DeliveryJourney } from "../../deliveries/read-delivery.ts";
import { describeUnhandled } from "../../events/describe-handling.ts";
import type { EventPage } from "../../events/read-events.ts";
import type { QueueView } from "../../status/queue-view.ts";
import { AttemptsPanel } from "../attempts.tsx";
import { OutcomeBadge } from "../badges.tsx";
import { eventsHref } from "../../lists/list-hrefs.ts";
import { EventsTable } from "../events-table.tsx";
import { HandlersPanel } from "./handlers-panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import pagers from "../pager.module.css";
import text from "../text.module.css";
import { DeliveryFacts } from "./delivery-facts.tsx";
import { Journey } from "../journey.tsx";
import { PageHead } from "../page-head.tsx";
import { Pair, Panel } from "../panel.tsx";

/** Props of `Delivery`. */
export interface DeliveryProps {
  journey: DeliveryJourney;
  details: DeliveryDetails;
  page: EventPage;
  /** The attempts that the page shows, and the first of them; the journey has the first ones. */
  attempts: readonly DeliveryAttempt[];
  attemptsFrom: number;
  handlerRetries: number;
  showsText: boolean;
  queue: QueueView;
  nowMs: number;
}

/** The page of one delivery. */
export function Delivery({ journey, details, queue, nowMs, ...props }: DeliveryProps) {
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Delivery" hint={journey.id} />
        <Group gap={10}>
          <RuntimeMark runtime={journey.runtime} />
          <OutcomeBadge outcome={journey.via === "backfill" ? journey.via : journey.outcome} />
          {journey.probe && (
            <Badge variant="light" color="gray" size="sm" tt="none">
              probe
            </Badge>
          )}
        </Group>
      </Group>
      <Pair>
        <Panel id="journey" title="Journey">
          <Journey journey={journey} unhandled={describeUnhandled(journey.handlers, nowMs)} />
        </Panel>
        <Panel id="facts" title="Facts">
          <DeliveryFacts journey={journey} details={details} />
        </Panel>
      </Pair>
      <AttemptsPanel
        attempts={props.attempts}
        nextDeliveryAt={journey.nextDeliveryAt}
        queue={queue}
        isWaiting={journey.ingestedAt === null && journey.outcome === "published"}
        nowMs={nowMs}
        isBackfill={journey.via === "backfill"}
      >
        <AttemptPages from={props.attemptsFrom} shown={props.attempts.length} />
      </AttemptsPanel>
      <HandlersPanel handlers={journey.handlers} nowMs={nowMs}>
        <Link href={eventsHref({ deliveryId: journey.id, state: "dead" })} prefetch={false}>
          All its dead events
        </Link>
        <Link href={eventsHref({ deliveryId: journey.id, state: "retrying" })} prefetch={false}>
          All that are retried
        </Link>
      </HandlersPanel>
      <DeliveredEvents journey={journey} {...props} nowMs={nowMs} />
    </>
  );
}

function AttemptPages({ from, shown }: { from: number; shown: number }) {
  if (from === 0 && shown < attemptsMax) return null;
  return (
    <PageLinks label="Pages of attempts">
      {from > 0 && (
        <Link href="?#attempts" prefetch={false}>
          First
        </Link>
      )}
      {shown === attemptsMax && (
        <Link href={`?attempts=${from + attemptsMax}#attempts`} prefetch={false}>
          More attempts
        </Link>
      )}
    </PageLinks>
  );
}

function PageLinks({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav aria-label={label} className={pagers["pager"]}>
      {children}
    </nav>
  );
}

function missingEvents({ outcome }: DeliveryProps["journey"]): string {
  return outcome === "lost"
    ? "Its events are not stored. The log line forward.lost has their keys; relay backfill reads from Instagram’s API what it still has."
    : "Its events are not stored yet.";
}

type DeliveredEventsProps = Pick<DeliveryProps, "journey" | "page" | "handlerRetries" | "showsText" | "nowMs">;

function DeliveredEvents({ journey, page, handlerRetries, showsText, nowMs }: DeliveredEventsProps) {
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
        <p className={text["nothing"]}>{journey.ingestedAt === null ? missingEvents(journey) : "It has no events."}</p>
      ) : (
        <EventsTable events={page.events} {...{ handlerRetries, showsText, nowMs }} />
      )}
      {page.nextCursor !== null && (
        <PageLinks label="Pages of events">
          <Link href={`?events=${page.nextCursor}#events`} prefetch={false}>
            More events
          </Link>
        </PageLinks>
      )}
    </Panel>
  );
}
