import { Group, Stack } from "@mantine/core";

import { RelayError } from "#platform/errors.ts";

import type { ListRequest } from "../../lists/list-request.ts";
import {
  type DeadLetterGroupFilter,
  type DeadLetterGroupPage,
  deadLetterCauses,
} from "../../repair/read-dead-letter-groups.ts";
import type { QueueView } from "../../status/queue-view.ts";
import { CountsWhat } from "../list/counts-what.tsx";
import { type ListField, optionsOf } from "../list/list-field.ts";
import { ListFilters } from "../list/list-filters.tsx";
import { Pager } from "../list/pager.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { GroupsTable } from "./groups-table.tsx";

/** Props of `DeadLetters`. */
export interface DeadLettersProps {
  request: ListRequest<DeadLetterGroupFilter>;
  found: DeadLetterGroupPage | RelayError;
  queue: QueueView;
  zone: string;
  nowMs: number;
}

const fields: readonly ListField[] = [
  { name: "state", label: "State", options: optionsOf(["open", "acknowledged", "ignored", "resolved"]) },
  { name: "cause", label: "Cause", options: optionsOf(deadLetterCauses) },
  { name: "error", label: "Error, name or code" },
  { name: "kind", label: "Kind of event" },
  { name: "deployment", label: "Deployment" },
];

/** The groups of dead letters, what needs a person first. */
export function DeadLetters({ request, found, queue, zone, nowMs }: DeadLettersProps) {
  const { path, query, older } = request;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Dead letters" hint="What was given up, in groups of one cause, error and kind" />
        <Live list="deadLetters" mark={newestOf(found)} nowMs={nowMs} older={older} />
      </Group>
      <ListFilters path={path} query={query} fields={fields} zone={zone} />
      <Panel id="groups" title="Groups" aside={<span className={text["dimmed"]}>What needs a person comes first</span>}>
        <Shown found={found}>
          {({ groups, nextCursor }) => (
            <>
              {groups.length === 0 ? (
                <p className={text["nothing"]}>
                  {Object.keys(query).length === 0 ? "There are no dead letters." : "No group is like this."}
                </p>
              ) : (
                <GroupsTable groups={groups} nowMs={nowMs} />
              )}
              <Pager {...{ list: "groups", path, query, older, nextCursor, zone }} />
            </>
          )}
        </Shown>
      </Panel>
      <Explanation queue={queue} />
    </>
  );
}

function Explanation({ queue: { title, deadLetters } }: Pick<DeadLettersProps, "queue">) {
  return (
    <CountsWhat>
      <Stack gap={6}>
        <span>
          A handler’s dead letter is one event, however many attempts it had. The queue’s is one batch of a delivery,
          whose events are not known here until it is ingested. Of a group with more than 10,000 the newest are counted.
        </span>
        <span>
          Unresolved are those that are not handled or ingested since. A group is resolved by itself when none is left;
          a decision of an operator changes no event. A resolved group that recurs is open again, as a regression.
        </span>
        {!deadLetters && (
          <span>
            {title} keeps no list of what it gave up: the relay gives a batch up itself after its last attempt, and
            keeps it here whole.
          </span>
        )}
      </Stack>
    </CountsWhat>
  );
}

/** The recording time of the newest dead letter on the page, after which the count of new ones begins. */
function newestOf(found: DeadLettersProps["found"]): string | undefined {
  if (found instanceof RelayError) return undefined;
  return found.groups
    .map(({ lastAt }) => lastAt)
    .toSorted()
    .at(-1);
}
