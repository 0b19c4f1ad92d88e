import { Badge } from "@mantine/core";
import Link from "next/link";

import { describeHandling } from "../events/describe-handling.ts";
import { eventText } from "../events/event-text.ts";
import { formatBytes } from "../format.ts";
import type { EventItem } from "../events/read-events.ts";
import { HandlingMark, KindBadge } from "./badges.tsx";
import badges from "./badges.module.css";
import tables from "./table.module.css";
import text from "./text.module.css";
import { ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** Props of `EventsTable`. */
export interface EventsTableProps {
  events: readonly EventItem[];
  /** `HANDLER_RETRIES`. */
  handlerRetries: number;
  /** Whether the viewer has switched on what people wrote. */
  showsText: boolean;
  nowMs: number;
}

/** One page of events; each leads to its own page. */
export function EventsTable({ events, handlerRetries, showsText, nowMs }: EventsTableProps) {
  return (
    <ScrollBox label="Events">
      <table className={tables["table"]}>
        <caption>Stored events, newest first; a dash means that there is none</caption>
        <thead>
          <tr>
            <th scope="col">Ingested</th>
            <th scope="col">Kind</th>
            <th scope="col">State</th>
            <th scope="col">Account</th>
            <th scope="col">Sender</th>
            <th scope="col" data-numeric>
              Size
            </th>
            {showsText && <th scope="col">Text</th>}
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <th scope="row" data-numeric="start">
                <Link href={`/dashboard/events/${event.id}`} prefetch={false}>
                  <Timestamp iso={event.ingestedAt} nowMs={nowMs} />
                </Link>
              </th>
              <td>
                <KindBadge kind={event.kind} /> <Flags {...event} />
              </td>
              <td>
                <EventState event={event} handlerRetries={handlerRetries} nowMs={nowMs} />
              </td>
              <td className={text["mono"]}>{event.accountId}</td>
              <td className={text["mono"]}>{event.senderId ?? "–"}</td>
              <td data-numeric>{formatBytes(event.storedBytes)}</td>
              {showsText && <td className={tables["sentence"]}>{shorten(eventText(event.data)) ?? "–"}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** Props of `EventState`. */
export interface EventStateProps {
  event: Omit<EventItem, "data">;
  handlerRetries: number;
  /** Whether it may take several lines. */
  wraps?: boolean;
  nowMs: number;
}

/** What becomes of an event, and why: `retry 3 of 8, next in 4 min · TypeError`. */
export function EventState({ event, handlerRetries, wraps = false, nowMs }: EventStateProps) {
  const { state, attempts, nextAttemptAt, handlerError, errorCode, erasedBecause } = event;
  const handling = { state, attempt: attempts, of: handlerRetries + 1, nextAttemptAt };
  const reasons = state === "erased" ? [erasedBecause] : [handlerError, errorCode];
  const words = [describeHandling(handling, nowMs), ...reasons.filter((reason) => reason !== null)];
  return (
    <HandlingMark state={state} wraps={wraps}>
      {words.join(" · ")}
    </HandlingMark>
  );
}

/** Badges for what is unusual about an event. */
export function Flags({ test, standby, drifted }: { test: boolean; standby: boolean; drifted: boolean }) {
  const flags = [...(test ? ["test"] : []), ...(standby ? ["standby"] : []), ...(drifted ? ["drifted"] : [])];
  if (flags.length === 0) return null;
  return (
    <span className={badges["flags"]}>
      {flags.map((flag) => (
        <Badge
          key={flag}
          variant="light"
          color="gray"
          size="sm"
          radius="sm"
          tt="none"
          fw={500}
          className={badges["badge"]}
        >
          {flag}
        </Badge>
      ))}
    </span>
  );
}

const textMax = 120;

function shorten(words: string | null): string | null {
  return words === null || words.length <= textMax ? words : `${words.slice(0, textMax)}…`;
}
