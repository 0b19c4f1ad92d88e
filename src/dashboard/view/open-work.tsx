import { Alert } from "@mantine/core";

import { formatAgo, formatCount } from "../format.ts";
import { isMaintenanceOverdue, type OpenWork } from "../read-open-work.ts";
import figures from "./facts.module.css";
import text from "./text.module.css";
import { Panel } from "./panel.tsx";

/** The events that are not handled, and when maintenance last looked for those that nothing tries. */
export function OpenWorkPanel({ work, nowMs }: { work: OpenWork; nowMs: number }) {
  const ago = (iso: string | null) => (iso === null ? "–" : formatAgo(iso, nowMs));
  const facts: [name: string, value: string, tone: "warn" | "bad" | undefined][] = [
    ["Open", formatCount(work.open), undefined],
    ["Retrying", formatCount(work.retrying), work.retrying > 0 ? "warn" : undefined],
    ["Dead", formatCount(work.dead), work.dead > 0 ? "bad" : undefined],
    ["Oldest open", ago(work.oldestAt), undefined],
    ["Maintenance", work.maintenanceRanAt === null ? "never" : ago(work.maintenanceRanAt), undefined],
  ];
  return (
    <Panel id="open-work" title="Open and failed events">
      <dl className={figures["facts"]}>
        {facts.map(([name, value, tone]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-tone={tone}>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** Shown while open events wait for maintenance that does not run. */
export function MaintenanceBanner({ work, nowMs }: { work: OpenWork; nowMs: number }) {
  if (!isMaintenanceOverdue(work, nowMs)) return null;
  const { maintenanceRanAt } = work;
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      classNames={{ title: text["warning"] ?? "" }}
      title={`Maintenance ${maintenanceRanAt === null ? "has never run" : `last ran ${formatAgo(maintenanceRanAt, nowMs)}`}`}
    >
      Events wait to be tried, and only maintenance finds those whose message was lost. It should run every five
      minutes: <code>npm run relay -- schedule</code> makes and checks its schedule.
    </Alert>
  );
}
