import { Group } from "@mantine/core";

import { RelayError } from "#platform/errors.ts";

import type { EventFilter } from "../../events/event-filter.ts";
import type { Listed, ListRequest } from "../../lists/list-request.ts";
import type { EventPage } from "../../events/read-events.ts";
import { EventsTable, type EventsTableProps } from "../events-table.tsx";
import { CountsWhat } from "../list/counts-what.tsx";
import { ListFilters } from "../list/list-filters.tsx";
import { Pager } from "../list/pager.tsx";
import { Total } from "../list/total.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { eventFields } from "./event-fields.ts";
import { EventLinks } from "./event-links.tsx";
import { nothingFound } from "./nothing-found.ts";

/** Props of `Events`. */
export interface EventsProps extends Omit<EventsTableProps, "events"> {
  request: ListRequest<EventFilter>;
  found: Listed<EventPage> | RelayError;
  kinds: readonly string[];
  zone: string;
}

/** The page of events to which all conditions of the address apply, newest first. */
export function Events({ request, found, kinds, zone, ...props }: EventsProps) {
  const { path, query, older } = request;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Events" hint="What happened on Instagram, each stored once; newest first" />
        <Live list="events" mark={newestOf(request, found)} older={older} nowMs={props.nowMs} />
      </Group>
      <ListFilters path={path} query={query} fields={eventFields(kinds)} times="Ingested" zone={zone}>
        <EventLinks query={query} />
      </ListFilters>
      <Panel
        id="events"
        title="Events"
        aside={!(found instanceof RelayError) && <Total count={found.total} nouns={["event", "events"]} />}
      >
        <Shown found={found}>
          {({ page: { events, nextCursor, scannedTo } }) => (
            <>
              {events.length === 0 ? (
                <p className={text["nothing"]}>{nothingFound(query, scannedTo, zone)}</p>
              ) : (
                <EventsTable events={events} {...props} />
              )}
              <Pager {...{ list: "events", path, query, older, nextCursor, scannedTo, zone }} />
            </>
          )}
        </Shown>
      </Panel>
      <Explanation />
    </>
  );
}

function Explanation() {
  return (
    <CountsWhat>
      Every event that was stored once, also tests, standby and erased ones; a repeated delivery adds none.{" "}
      <b>Search</b> takes an id, and finds exactly what has it; any other text is searched for from the newest event
      backwards, and the list says how far the search came. <b>Error</b> is that of events that are retried or dead now.{" "}
      <b>Size</b> is that of the data as Postgres holds it. Times are those of ingestion. Open events wait for their
      handler; retrying ones have failed and are tried again; dead ones have failed for the last time.
    </CountsWhat>
  );
}

/** The mark after which the pulse counts new events. A filtered list has none: the pulse counts without a filter. */
function newestOf({ query, older }: EventsProps["request"], found: EventsProps["found"]): string | undefined {
  if (found instanceof RelayError || older || Object.keys(query).length > 0) return undefined;
  return String(found.page.events[0]?.id ?? 0);
}
