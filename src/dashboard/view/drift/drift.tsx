import type { RelayError } from "#platform/errors.ts";

import type { ListRequest } from "../../lists/list-request.ts";
import type { DriftFilter, DriftReport } from "../../events/read-drift.ts";
import { CountsWhat } from "../list/counts-what.tsx";
import { optionsOf } from "../list/list-field.ts";
import { ListFilters } from "../list/list-filters.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { DriftTable } from "./drift-table.tsx";

/** Props of `Drift`. */
export interface DriftProps {
  request: ListRequest<DriftFilter>;
  found: DriftReport | RelayError;
  kinds: readonly string[];
  zone: string;
  nowMs: number;
}

/** How Meta's data differs from what this release knows. */
export function Drift({ request: { path, query }, found, kinds, zone, nowMs }: DriftProps) {
  const fields = [{ name: "kind", label: "Kind", options: optionsOf(kinds) }];
  return (
    <>
      <PageHead title="Drift" hint="Where Meta’s data differs from the schemas of this release; the last seen first" />
      <ListFilters path={path} query={query} fields={fields} zone={zone} />
      <Panel id="drift" title="Differences">
        <Shown found={found}>
          {({ drift }) =>
            drift.length === 0 ? (
              <p className={text["nothing"]}>Everything that arrived is as the schemas have it.</p>
            ) : (
              <DriftTable drift={drift} nowMs={nowMs} />
            )
          }
        </Shown>
      </Panel>
      <CountsWhat>
        Each event is compared with the schema of its kind when it is ingested. A difference loses nothing: the event is
        stored as it was sent, and its handler runs. What is not of its type marks the event as drifted. <b>Events</b>{" "}
        counts the events that had the difference since the first one, also erased ones. A field that appears here is
        new at Meta, or unknown to this release: look whether your handlers need it.
      </CountsWhat>
    </>
  );
}
