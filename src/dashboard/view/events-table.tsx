import { Badge } from "@mantine/core";
import Link from "next/link";

import type { EventItem } from "../read-events.ts";
import { StateMark, KindBadge } from "./badges.tsx";
import { RuntimeMark } from "./runtime-mark.tsx";
import badges from "./badges.module.css";
import tables from "./table.module.css";
import text from "./text.module.css";
import { ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** Props of `EventsTable`. */
export interface EventsTableProps {
  events: readonly EventItem[];
  nowMs: number;
}

/** One page of events. */
export function EventsTable({ events, nowMs }: EventsTableProps) {
  return (
    <ScrollBox label="Events">
      <table className={tables["table"]}>
        <caption>Stored events, newest first; times in UTC</caption>
        <thead>
          <tr>
            <th scope="col">Ingested</th>
            <th scope="col">Kind</th>
            <th scope="col">Account</th>
            <th scope="col">Sender</th>
            <th scope="col">Runtime</th>
            <th scope="col">Delivery</th>
            <th scope="col">Handler</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td data-numeric="start">
                <Timestamp iso={event.ingestedAt} nowMs={nowMs} />
              </td>
              <td>
                <KindBadge kind={event.kind} /> <Flags {...event} />
              </td>
              <td className={text["mono"]}>{event.accountId}</td>
              <td className={text["mono"]}>{event.senderId ?? "–"}</td>
              <td>
                <RuntimeMark runtime={event.runtime ?? "–"} />
              </td>
              <td className={text["mono"]}>
                <Link href={`/dashboard/deliveries/${encodeURIComponent(event.deliveryId)}`} prefetch={false}>
                  {shorten(event.deliveryId)}
                </Link>
              </td>
              <td>
                <StateMark {...event} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** Badges for what is unusual about an event. */
export function Flags({ test, standby, drifted }: { test: boolean; standby: boolean; drifted: boolean }) {
  const flags = [...(test ? ["test"] : []), ...(standby ? ["standby"] : []), ...(drifted ? ["drifted"] : [])];
  return flags.map((flag) => (
    <Badge key={flag} variant="light" color="gray" size="sm" radius="sm" tt="none" fw={500} className={badges["badge"]}>
      {flag}
    </Badge>
  ));
}

/** The beginning and the end of a long id; the delivery's page shows all of it. */
function shorten(id: string): string {
  return id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}
