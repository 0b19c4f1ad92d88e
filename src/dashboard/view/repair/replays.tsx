import { Group } from "@mantine/core";

import type { DescribedBackfill } from "#operations/backfill/describe-backfill.ts";
import { RelayError } from "#platform/errors.ts";
import { replayRunStates } from "#store/replays/replays.ts";

import type { ListRequest } from "../../lists/list-request.ts";
import type { ReplayListFilter, ReplayPage } from "../../repair/read-replays.ts";
import { LinkButton } from "../link-button.tsx";
import { CountsWhat } from "../list/counts-what.tsx";
import { type ListField, optionsOf } from "../list/list-field.ts";
import { ListFilters } from "../list/list-filters.tsx";
import { Pager } from "../list/pager.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { BackfillsTable } from "./backfills-table.tsx";
import { ReplaysTable } from "./replays-table.tsx";

/** Props of `Replays`. */
export interface ReplaysProps {
  request: ListRequest<ReplayListFilter>;
  found: (ReplayPage & { backfills: readonly DescribedBackfill[] }) | RelayError;
  zone: string;
  nowMs: number;
}

const fields: readonly ListField[] = [{ name: "state", label: "State", options: optionsOf(replayRunStates) }];

/** All replays and the last backfills, the newest first. */
export function Replays({ request, found, zone, nowMs }: ReplaysProps) {
  const { path, query, older } = request;
  const newest = found instanceof RelayError ? undefined : found.replays[0]?.createdAt;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Replays" hint="Handlers that run again for events of the past; the newest first" />
        <Live list="replays" mark={newest} nowMs={nowMs} older={older} />
      </Group>
      <ListFilters path={path} query={query} fields={fields} zone={zone}>
        <LinkButton href="/dashboard/replays/new">Plan a replay</LinkButton>
      </ListFilters>
      <Panel id="replays" title="Replays">
        <Shown found={found}>
          {({ replays, nextCursor }) => (
            <>
              {replays.length === 0 ? (
                <p className={text["nothing"]}>
                  {Object.keys(query).length === 0 ? "Nothing has been replayed yet." : "No replay is like this."}
                </p>
              ) : (
                <ReplaysTable replays={replays} nowMs={nowMs} />
              )}
              <Pager {...{ list: "replays", path, query, older, nextCursor, zone }} />
            </>
          )}
        </Shown>
      </Panel>
      {!(found instanceof RelayError) && found.backfills.length > 0 && (
        <Panel id="backfills" title="Backfills">
          <BackfillsTable backfills={found.backfills} nowMs={nowMs} />
        </Panel>
      )}
      <CountsWhat>
        Done are events whose handler succeeded, and batches that were ingested; failed are those that were tried
        without success, which have their retries as usual; skipped are those that something else handled meanwhile, or
        that were erased. A stalled replay has not moved for two minutes; maintenance resumes it.
      </CountsWhat>
    </>
  );
}
