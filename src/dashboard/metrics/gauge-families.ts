import { alertRules } from "#operations/alerts/alert-rules.ts";
import { groupStates } from "#store/dead-letters/dead-letter-groups.ts";
import type { OpenTotals, OperationTotals } from "#store/figures/metric-totals.ts";

import type { NumberFamily } from "./prometheus-text.ts";

function gauge(name: string, help: string, samples: Record<string, number> | number | null, label = ""): NumberFamily {
  if (samples === null) return { name, type: "gauge", help, samples: [] };
  const values = typeof samples === "number" ? { "": samples } : samples;
  return {
    name,
    type: "gauge",
    help,
    samples: Object.entries(values).map(([text, value]) => ({ labels: label === "" ? {} : { [label]: text }, value })),
  };
}

/** How many totals cannot be read. */
export function damagedFamily(count: number): NumberFamily {
  return gauge(
    "relay_damaged_figures",
    "Totals in relay.figures whose histogram is damaged: it keeps its last values, or is missing.",
    count,
  );
}

/** What is open now. */
export function openFamilies({ open, retrying, dead, oldestSeconds, deadLetters }: OpenTotals): NumberFamily[] {
  return [
    gauge(
      "relay_events_unhandled",
      "Events that are stored and not handled; counted up to 100000.",
      { open, retrying, dead },
      "state",
    ),
    gauge(
      "relay_oldest_unhandled_seconds",
      "Since the oldest event that is open or retrying was stored; 0 if there is none.",
      oldestSeconds,
    ),
    gauge("relay_dead_letters_open", "Dead letters that are not resolved; counted up to 100000.", deadLetters),
  ];
}

/** What operators and maintenance do. */
export function operationFamilies(totals: OperationTotals): NumberFamily[] {
  const { groups, replays, alerts, paused, maintenanceSeconds, deployments } = totals;
  const of = (value: (deployment: { firstSeconds: number }) => number) =>
    Object.fromEntries(deployments.map((deployment) => [deployment.id, value(deployment)]));
  return [
    gauge(
      "relay_dead_letter_groups",
      "Groups of dead letters by state.",
      Object.fromEntries(groupStates.map((state) => [state, groups[state] ?? 0])),
      "state",
    ),
    gauge("relay_replay_running", "Replays that are running.", replays.running),
    gauge("relay_replay_stalled", "Replays that have not moved for two minutes.", replays.stalled),
    gauge(
      "relay_alerts_firing",
      "Scopes of an alert rule that fire: groups of dead letters, kinds of events, else 1.",
      Object.fromEntries(alertRules.map(({ name }) => [name, alerts[name] ?? 0])),
      "rule",
    ),
    gauge(
      "relay_paused",
      "1 if ingestion was paused when maintenance or an operator last knew.",
      paused === null ? null : Number(paused),
    ),
    gauge("relay_maintenance_age_seconds", "Since a part of maintenance last ran.", maintenanceSeconds),
    gauge(
      "relay_deployment_info",
      "1 for each of the ten newest deployments that measured anything.",
      of(() => 1),
      "sha",
    ),
    gauge(
      "relay_deployment_first_seen_timestamp_seconds",
      "When a deployment measured anything for the first time.",
      of(({ firstSeconds }) => firstSeconds),
      "sha",
    ),
  ];
}
