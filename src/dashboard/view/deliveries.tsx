import { Badge, Button, Group, NativeSelect } from "@mantine/core";
import Link from "next/link";

import { forwardOutcomes, runtimes } from "#platform/delivery.ts";

import { deliveriesHref, type DeliveriesQuery } from "../deliveries-query.ts";
import { runtimeLabel } from "../format.ts";
import type { DeliveryPage } from "../read-deliveries.ts";
import { DeliveriesTable } from "./deliveries-table.tsx";
import { PageHead } from "./page-head.tsx";
import pagers from "./pager.module.css";
import { Panel } from "./panel.tsx";
import filters from "./runtimes/filters.module.css";
import text from "./text.module.css";

/** Props of `Deliveries`. */
export interface DeliveriesProps {
  page: DeliveryPage;
  query: DeliveriesQuery;
  /** Whether this page is not the newest. */
  older: boolean;
  nowMs: number;
}

/** The deliveries to which all parts of a query apply, last received first. */
export function Deliveries({ page, query, older, nowMs }: DeliveriesProps) {
  const { outcome = "", runtime = "", ...others } = query;
  const conditions = Object.entries(others);
  return (
    <>
      <PageHead title="Deliveries" hint="Last received first; times in UTC" />
      <search>
        <form method="get" action="/dashboard/deliveries" className={filters["filters"]}>
          {conditions.map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          {/* The key resets the choice when a link changes it. */}
          <NativeSelect
            key={`o ${outcome}`}
            size="xs"
            label="Outcome"
            name="outcome"
            defaultValue={outcome}
            data={["", ...forwardOutcomes].map(option)}
          />
          <NativeSelect
            key={`r ${runtime}`}
            size="xs"
            label="Runtime"
            name="runtime"
            defaultValue={runtime}
            data={["", ...runtimes].map(option)}
          />
          <Button type="submit" variant="default" size="xs">
            Show
          </Button>
          {Object.keys(query).length > 0 && (
            <Link href={deliveriesHref({})} prefetch={false}>
              Show all
            </Link>
          )}
        </form>
      </search>
      {conditions.length > 0 && (
        <Group gap={8} component="ul" p={0} m={0} aria-label="Conditions">
          {conditions.map(([name, value]) => (
            <Badge key={name} component="li" variant="default" size="lg" radius="sm" tt="none" fw={500}>
              {labels[name] ?? name} {name === "ackMsMin" ? `${value} ms` : value}
            </Badge>
          ))}
        </Group>
      )}
      <Panel id="deliveries" title="Deliveries">
        {page.deliveries.length === 0 ? (
          <p className={text["nothing"]}>
            {page.nextCursor === null ? "No delivery is like this." : "No delivery is like this among those looked at."}
          </p>
        ) : (
          <DeliveriesTable deliveries={page.deliveries} nowMs={nowMs} />
        )}
        {(older || page.nextCursor !== null) && (
          <nav aria-label="Pages of deliveries" className={pagers["pager"]}>
            {older && (
              <Link href={deliveriesHref(query)} prefetch={false}>
                Newest
              </Link>
            )}
            {page.nextCursor !== null && (
              <Link href={deliveriesHref(query, page.nextCursor)} prefetch={false}>
                Older
              </Link>
            )}
          </nav>
        )}
      </Panel>
    </>
  );
}

const labels: Record<string, string> = {
  error: "error",
  region: "region",
  deployment: "deployment",
  ackMsMin: "ack at least",
  from: "from",
  to: "to",
};

function option(value: string) {
  return { value, label: value === "" ? "all" : runtimeLabel(value) };
}
