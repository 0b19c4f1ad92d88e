import { Group } from "@mantine/core";

import { RelayError } from "#platform/errors.ts";

import type { Listed, ListRequest } from "../../lists/list-request.ts";
import type { DeliveryFilter } from "../../deliveries/delivery-filter.ts";
import type { DeliveryPage } from "../../deliveries/read-deliveries.ts";
import { SendTestDelivery } from "../act/send-test-delivery.tsx";
import { DeliveriesTable } from "./deliveries-table.tsx";
import { CountsWhat } from "../list/counts-what.tsx";
import { ListFilters } from "../list/list-filters.tsx";
import { Pager } from "../list/pager.tsx";
import { Total } from "../list/total.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { deliveryFields } from "./delivery-fields.ts";

/** Props of `Deliveries`. */
export interface DeliveriesProps {
  request: ListRequest<DeliveryFilter>;
  found: Listed<DeliveryPage> | RelayError;
  /** Of which a test can be sent. */
  testKinds: readonly string[];
  zone: string;
  nowMs: number;
}

/** The deliveries to which all conditions of the address apply, last received first. */
export function Deliveries({ request, found, testKinds, zone, nowMs }: DeliveriesProps) {
  const { path, query, older } = request;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Deliveries" hint="What Meta posted to the webhook; last received first" />
        <Live list="deliveries" mark={newestOf(request, found)} older={older} nowMs={nowMs} />
      </Group>
      <ListFilters path={path} query={query} fields={deliveryFields} times="Received" zone={zone} />
      <Panel
        id="deliveries"
        title="Deliveries"
        aside={!(found instanceof RelayError) && <Total count={found.total} nouns={["delivery", "deliveries"]} />}
      >
        <Shown found={found}>
          {({ page: { deliveries, nextCursor, scannedTo } }) => (
            <>
              {deliveries.length === 0 ? (
                <p className={text["nothing"]}>
                  {nextCursor === null
                    ? "No delivery is like this."
                    : "No delivery is like this among those looked at."}
                </p>
              ) : (
                <DeliveriesTable deliveries={deliveries} nowMs={nowMs} />
              )}
              <Pager {...{ list: "deliveries", path, query, older, nextCursor, scannedTo, zone }} />
            </>
          )}
        </Shown>
      </Panel>
      <Panel id="test" title="Send a test delivery">
        <div className={text["inside"]}>
          <SendTestDelivery kinds={testKinds} />
          <p className={text["meaning"]}>
            Signed on the server and posted to the webhook, with an invented event of account 0. Handlers run with
            event.test set.
          </p>
        </div>
      </Panel>
      <CountsWhat>
        Every delivery that was acknowledged or refused by its forward, without probes. Requests that were refused
        before their signature was verified are no deliveries: the status page counts them. <b>Ack</b> is from the
        request to the response, as the function measured it. <b>Until stored</b> and <b>until handled</b> begin when it
        was received. <b>Events</b> are those it carried, and <b>repeated</b> are those of them that an earlier delivery
        had brought. <b>Error</b> is that of the last attempt to publish that failed, also if a later one succeeded.
      </CountsWhat>
    </>
  );
}

/** The mark after which the pulse counts new deliveries. A filtered list has none: the pulse counts without a filter. */
function newestOf({ query, older }: DeliveriesProps["request"], found: DeliveriesProps["found"]): string | undefined {
  if (found instanceof RelayError || older || Object.keys(query).length > 0) return undefined;
  return found.page.deliveries[0]?.receivedAt;
}
