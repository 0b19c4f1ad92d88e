import { RelayError } from "#platform/errors.ts";
import { runtimes } from "#platform/delivery.ts";
import type { ReplayPlan } from "#operations/describe-replay.ts";
import { replayStates } from "#store/replays/replay-filter.ts";

import { setWords } from "../../repair/describe-run.ts";
import type { ListRequest } from "../../lists/list-request.ts";
import type { NewReplay as Asked } from "../../repair/replay-address.ts";
import { CountsWhat } from "../list/counts-what.tsx";
import { flagOptions, type ListField, optionsOf } from "../list/list-field.ts";
import { ListFilters } from "../list/list-filters.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { NewReplayForm } from "./new-replay-form.tsx";
import { PlanFacts } from "./plan-facts.tsx";
import { unaskedMax } from "./unasked-max.ts";

/** Props of `NewReplay`. */
export interface NewReplayProps {
  request: ListRequest<Asked>;
  /** What it would take at this moment; null without a condition. */
  found: ReplayPlan | RelayError | null;
  zone: string;
  nowMs: number;
}

const fields: readonly ListField[] = [
  {
    name: "mode",
    label: "Takes",
    options: [
      { value: "unfinished", label: "unfinished events" },
      { value: "again", label: "handled ones again, too" },
    ],
  },
  { name: "state", label: "State", options: optionsOf(replayStates) },
  { name: "kind", label: "Kind" },
  { name: "error", label: "Error, name or code" },
  { name: "group", label: "Group of dead letters" },
  { name: "account", label: "Account" },
  { name: "sender", label: "Sender", isRare: true },
  { name: "deliveryId", label: "Delivery", isRare: true },
  { name: "ids", label: "Events, by their ids", isRare: true },
  { name: "replay", label: "Events of the replay", isRare: true },
  { name: "runtime", label: "Runtime", options: optionsOf(runtimes), isRare: true },
  { name: "test", label: "Tests", options: flagOptions("test"), isRare: true },
  { name: "standby", label: "Standby", options: flagOptions("standby"), isRare: true },
  { name: "drifted", label: "Drifted", options: flagOptions("drifted"), isRare: true },
  { name: "unknown", label: "Unknown kinds", options: [{ value: "true", label: "classified again" }], isRare: true },
  { name: "ratePerMinute", label: "Events a minute", placeholder: "6000", isRare: true },
];

/** What a replay of the address's conditions would take, and the form that starts it. */
export function NewReplay({ request, found, zone, nowMs }: NewReplayProps) {
  const { path, query, filter } = request;
  // The reason is asked for below, and is no condition.
  const { reason: _, ...conditions } = query;
  return (
    <>
      <PageHead title="Plan a replay" hint="Handlers run again for the events of these conditions" />
      <ListFilters path={path} query={conditions} fields={fields} times="Ingested" zone={zone} />
      {found === null || filter instanceof RelayError ? (
        <Panel id="plan" title="What it takes">
          <p className={text["nothing"]}>
            {filter instanceof RelayError ? filter.message : "Choose at least one condition."}
          </p>
        </Panel>
      ) : (
        <Shown found={found} retries={false}>
          {(plan) => (
            <>
              <Panel id="start" title="Start it">
                <NewReplayForm key={JSON.stringify(query)} asked={filter} label={labelOf(plan, filter.mode)} />
              </Panel>
              <PlanFacts plan={plan} nowMs={nowMs} />
            </>
          )}
        </Shown>
      )}
      <CountsWhat>
        Unfinished events are those whose handler has not succeeded; their attempts begin anew. Again takes handled
        ones, too: a handler learns of it by context.replay. The start freezes the conditions and ends with the newest
        event of that moment. First 20 events run; if more than half of them fail, the replay stops by itself. New
        deliveries keep their pace. Up to {unaskedMax} unfinished events start without a further question.
      </CountsWhat>
    </>
  );
}

function labelOf(plan: ReplayPlan, mode: Asked["mode"]): string {
  return `Replay ${setWords(plan)}${mode === "again" ? " again" : ""}`;
}
