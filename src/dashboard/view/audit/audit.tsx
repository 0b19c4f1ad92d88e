import { Group } from "@mantine/core";

import { RelayError } from "#platform/errors.ts";

import type { Listed, ListRequest } from "../../lists/list-request.ts";
import type { AuditFilter, AuditPage } from "../../access/read-audit.ts";
import type { SessionItem } from "../../access/read-sessions.ts";
import { CountsWhat } from "../list/counts-what.tsx";
import { ListFilters } from "../list/list-filters.tsx";
import { Pager } from "../list/pager.tsx";
import { Total } from "../list/total.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { auditFields } from "./audit-fields.ts";
import { AuditTable } from "./audit-table.tsx";
import { Sessions } from "./sessions.tsx";

/** Props of `Audit`. */
export interface AuditProps {
  request: ListRequest<AuditFilter>;
  found: (Listed<AuditPage> & { sessions: readonly SessionItem[] }) | RelayError;
  zone: string;
  nowMs: number;
}

/** The page of who did what, and of who is signed in. */
export function Audit({ request, found, zone, nowMs }: AuditProps) {
  const { path, query, older } = request;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Audit" hint="Who did what, and how it ended; newest first" />
        <Live list="audit" mark={newestOf(request, found)} older={older} nowMs={nowMs} />
      </Group>
      <ListFilters path={path} query={query} fields={auditFields} times="Asked" zone={zone} />
      <Shown found={found}>
        {({ page: { audit, nextCursor }, total, sessions }) => (
          <>
            <Panel id="audit" title="Changes" aside={<Total count={total} nouns={["change", "changes"]} />}>
              {audit.length === 0 ? (
                <p className={text["nothing"]}>Nothing was done that is like this.</p>
              ) : (
                <AuditTable audit={audit} nowMs={nowMs} />
              )}
              <Pager {...{ list: "changes", path, query, older, nextCursor, zone }} />
            </Panel>
            <Panel id="sessions" title="Signed in now">
              <Sessions sessions={sessions} />
            </Panel>
          </>
        )}
      </Shown>
      <CountsWhat>
        Every change that the holder of a token asked for, also a refused one: replays, decisions about dead letters,
        pauses, alerts, probes, diagnostics, test deliveries, exports, sign-ins. Requests without a valid token are in
        the log alone. The row is written before the change: <b>started</b> means that it is under way, or that the
        process died before it could record the end. No text of a message is recorded, and of the address only its
        network. Rows are kept for 400 days; nothing can change or delete one before.
      </CountsWhat>
    </>
  );
}

function newestOf({ query, older }: AuditProps["request"], found: AuditProps["found"]): string | undefined {
  if (found instanceof RelayError || older || Object.keys(query).length > 0) return undefined;
  return String(found.page.audit[0]?.id ?? 0);
}
