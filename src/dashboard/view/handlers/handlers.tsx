import { Group } from "@mantine/core";

import type { WindowName } from "#measurements/runtime-comparison.ts";
import { RelayError } from "#platform/errors.ts";

import type { ListRequest } from "../../lists/list-request.ts";
import { listHref } from "../../lists/list-request.ts";
import type { HandlerCount } from "../../handlers/read-handler-counts.ts";
import type { HandlerReport } from "../../handlers/read-handlers.ts";
import { HandlerCountsPanel } from "./handler-counts-panel.tsx";
import { CountsWhat } from "../list/counts-what.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import { windowLabel, WindowSelector } from "../window-selector.tsx";
import { FailingKinds } from "./failing-kinds.tsx";
import { HandlerKinds } from "./handler-kinds.tsx";

/** Props of `Handlers`. */
export interface HandlersProps {
  request: ListRequest<WindowName>;
  found: (HandlerReport & { counts: HandlerCount[] }) | RelayError;
  nowMs: number;
}

/** How the user's handlers do: what fails now and since when, and the calls of each kind in a window. */
export function Handlers({ request: { path, filter }, found, nowMs }: HandlersProps) {
  const window = filter instanceof RelayError ? "1h" : filter;
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Handlers" hint={`Calls of your handlers in ${windowLabel(window)}, and what fails now`} />
        <Group gap="8px 14px">
          <WindowSelector current={window} hrefOf={(name) => listHref({ path, query: { window: name } })} />
          <Live list="status" nowMs={nowMs} />
        </Group>
      </Group>
      <Shown found={found}>
        {({ handlers, failing, counts, window: { from, to } }) => (
          <>
            <Panel id="failing" title="What fails now">
              <FailingKinds failing={failing} nowMs={nowMs} />
            </Panel>
            <Panel id="kinds" title="Calls by kind of event">
              <HandlerKinds handlers={handlers} from={from} to={to} nowMs={nowMs} />
            </Panel>
            <HandlerCountsPanel counts={counts} />
          </>
        )}
      </Shown>
      <CountsWhat>
        <b>What fails now</b> counts events, not calls: those that are retried or dead, by the error of their last call;{" "}
        <b>since</b> and <b>deployment</b> are those of the first failure of the first such event. <b>Calls</b> count
        every call of a handler in the window, also those of retries and replays; <b>failures</b> are calls that threw
        or took longer than HANDLER_TIMEOUT_MS. Times are at most 1.1 % off. <b>Open</b> counts the events of now that
        wait or are retried, whatever the window. The links show the events that are stored; an error’s link shows those
        that it keeps from being handled now. <b>Handler counts</b> are what your handlers have counted themselves,
        since the first event.
      </CountsWhat>
    </>
  );
}
