import Link from "next/link";

import type { DeliveryItem } from "../../deliveries/delivery-columns.ts";
import { formatCount, formatMs } from "../../format.ts";
import { OutcomeBadge } from "../badges.tsx";
import { ScrollBox } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

/** Props of `DeliveriesTable`. */
export interface DeliveriesTableProps {
  deliveries: readonly DeliveryItem[];
  nowMs: number;
}

/** One page of deliveries; each leads to its own page. */
export function DeliveriesTable({ deliveries, nowMs }: DeliveriesTableProps) {
  return (
    <ScrollBox label="Deliveries">
      <table className={tables["table"]}>
        <caption>Deliveries, last received first; a dash means that nothing is known</caption>
        <thead>
          <tr>
            <th scope="col">Received</th>
            <th scope="col">Outcome</th>
            <th scope="col">Runtime</th>
            <th scope="col">Region</th>
            <th scope="col">Deployment</th>
            <th scope="col" data-numeric>
              Ack
            </th>
            <th scope="col" data-numeric>
              Until stored
            </th>
            <th scope="col" data-numeric>
              Until handled
            </th>
            <th scope="col" data-numeric>
              Events
            </th>
            <th scope="col" data-numeric>
              Repeated
            </th>
            <th scope="col">Error</th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map((delivery) => (
            <DeliveryRow key={delivery.id} delivery={delivery} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function DeliveryRow({ delivery, nowMs }: { delivery: DeliveryItem; nowMs: number }) {
  const since = (iso: string | null) => (iso === null ? null : Date.parse(iso) - Date.parse(delivery.receivedAt));
  return (
    <tr>
      <th scope="row" data-numeric="start">
        <Link href={`/dashboard/deliveries/${delivery.id}`} prefetch={false}>
          <Timestamp iso={delivery.receivedAt} nowMs={nowMs} />
        </Link>
      </th>
      <td>
        <OutcomeBadge outcome={delivery.via === "backfill" ? delivery.via : delivery.outcome} />
      </td>
      <td>
        <RuntimeMark runtime={delivery.runtime} />
      </td>
      <td>
        {delivery.region ?? "–"}
        {delivery.coldStart && ", cold"}
      </td>
      <td className={text["mono"]}>{delivery.deployment ?? "–"}</td>
      <td data-numeric>{formatMs(delivery.ackMs)}</td>
      <td data-numeric>{formatMs(since(delivery.ingestedAt))}</td>
      <td data-numeric>{formatMs(since(delivery.handledAt))}</td>
      <td data-numeric>{orDash(delivery.events)}</td>
      <td data-numeric>{orDash(delivery.duplicates)}</td>
      <td className={text["mono"]}>{delivery.error ?? "–"}</td>
    </tr>
  );
}

function orDash(count: number | null): string {
  return count === null ? "–" : formatCount(count);
}
