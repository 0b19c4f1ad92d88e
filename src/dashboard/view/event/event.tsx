import { Alert, Group } from "@mantine/core";
import Link from "next/link";

import { isBackfillDelivery } from "#platform/backfill-delivery.ts";

import { describeHandling } from "../../events/describe-handling.ts";
import type { TreeOptions } from "../../events/payload-tree.ts";
import type { EventReport } from "../../events/read-event.ts";
import type { QueueView } from "../../status/queue-view.ts";
import { EventActions } from "../act/event-actions.tsx";
import { AttemptsPanel } from "../attempts.tsx";
import { KindBadge } from "../badges.tsx";
import { EventState, Flags } from "../events-table.tsx";
import { HandlerCalls } from "../handler-calls.tsx";
import { Journey } from "../journey.tsx";
import { PageHead } from "../page-head.tsx";
import { Pair, Panel } from "../panel.tsx";
import text from "../text.module.css";
import { Instant } from "../timestamp.tsx";
import { CopyButton } from "./copy-button.tsx";
import { EventFacts } from "./event-facts.tsx";
import { Payload } from "./payload.tsx";
import { Structure } from "./structure.tsx";
import { Surroundings } from "./surroundings.tsx";

/** Props of `Event`. */
export interface EventProps extends EventReport {
  /** Which part of the payload is shown. */
  part: TreeOptions;
  queue: QueueView;
  nowMs: number;
}

/** The page of one event: its whole way, every attempt, what it has to do with, and what Meta sent. */
export function Event({ event, payload, attempts, lastGood, part, queue, nowMs, ...report }: EventProps) {
  const handling = { state: event.state, attempt: event.attempts, of: report.of, nextAttemptAt: event.nextAttemptAt };
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <div>
          <PageHead title={`Event ${event.id}`} hint={event.key} />
          <Group gap="6px 10px" mt={6}>
            <KindBadge kind={event.kind} /> <Flags {...event} />
            <EventState event={event} handlerRetries={report.of - 1} nowMs={nowMs} wraps />
          </Group>
        </div>
        <Group gap="8px 14px">
          {event.erasedAt === null && (
            <Link href={`/dashboard/replays/new?ids=${event.id}`} prefetch={false}>
              Replay this…
            </Link>
          )}
          <CopyButton what="link" path={`/dashboard/events/${event.id}`} />
        </Group>
      </Group>
      <Erased {...event} />
      <Pair>
        <Panel id="journey" title="Journey">
          {report.delivery === null ? (
            <p className={text["nothing"]}>
              Its delivery has aged out, and the times of its journey with it: deliveries are kept for
              DELIVERY_RETENTION_DAYS.
            </p>
          ) : (
            <Journey
              journey={report.delivery}
              unhandled={
                event.state === "handled" ? "handled; the time is not known" : describeHandling(handling, nowMs)
              }
            />
          )}
        </Panel>
        <Panel id="facts" title="Facts">
          <EventFacts
            event={event}
            deployment={report.delivery?.deployment ?? null}
            batch={report.batch}
            nowMs={nowMs}
          />
        </Panel>
      </Pair>
      <Calls {...{ event, calls: report.calls, nowMs }} />
      {event.erasedAt === null && (
        <Panel id="actions" title="What can be done with it">
          <div className={text["inside"]}>
            <EventActions eventId={event.id} />
          </div>
        </Panel>
      )}
      {lastGood !== null && event.erasedAt === null && <Structure payload={payload} lastGood={lastGood} />}
      <Payload eventId={event.id} payload={payload} isErased={event.erasedAt !== null} {...part} />
      <AttemptsPanel
        attempts={attempts}
        queue={queue}
        nowMs={nowMs}
        isBackfill={isBackfillDelivery(event.deliveryId)}
      />
      <Surroundings event={event} surroundings={report.surroundings} nowMs={nowMs} />
    </>
  );
}

const reasons: Record<string, string> = {
  unsent: "The person unsent the message.",
  "data-deletion": "The person asked Meta to have their data deleted.",
  retention: "It was older than PAYLOAD_RETENTION_DAYS.",
};

function Erased({ erasedAt, erasedBecause }: EventReport["event"]) {
  if (erasedAt === null) return null;
  return (
    <Alert color="gray" variant="light" title="The data of this event was erased">
      {reasons[erasedBecause ?? ""] ?? "The reason is not known."} Erased <Instant iso={erasedAt} />. No handler gets it
      any more; its key is kept, so that a repeated delivery is still recognised.
    </Alert>
  );
}

function Calls({ event, calls, nowMs }: Pick<EventProps, "event" | "calls" | "nowMs">) {
  return (
    <Panel id="handlers" title="Calls of its handler">
      {calls.length > 0 ? (
        <HandlerCalls calls={calls} of={`event ${event.id}`} nowMs={nowMs} />
      ) : (
        <p className={text["nothing"]}>
          {event.state === "handled"
            ? "It was handled at the first attempt, which leaves no record of its own."
            : "No call is recorded."}
        </p>
      )}
    </Panel>
  );
}
