import { duplicateCauses } from "#measurements/duplicate-cause.ts";
import type { CountMetric } from "#measurements/measurement.ts";
import { forwardOutcomes, runtimes } from "#platform/delivery.ts";
import type { MetricTotal } from "#store/figures/metric-totals.ts";

import { refusalReasons } from "../status/refusal-reasons.ts";
import type { NumberFamily, MetricSample } from "./prometheus-text.ts";

interface Counter {
  name: string;
  help: string;
  labels(total: Pick<MetricTotal, "runtime" | "kind" | "label">): Readonly<Record<string, string>>;
  /** Labels that are there from the start, at 0: of a series that begins at 1 Prometheus sees no increase. */
  known?: readonly string[];
}

/** What each metric that is only counted is called outside. */
const counters: Partial<Record<CountMetric, Counter>> = {
  outcome: {
    name: "relay_deliveries_total",
    help: "Deliveries from Meta by how their forward ended: published, fallback, lost, or refused (not acknowledged).",
    labels: ({ runtime, label }) => ({ runtime, outcome: label }),
    known: forwardOutcomes,
  },
  correction: {
    name: "relay_deliveries_corrected_total",
    help: "Deliveries that were counted under this outcome before their report named another one, which counts them too.",
    labels: ({ runtime, label }) => ({ runtime, outcome: label }),
  },
  events: {
    name: "relay_events_total",
    help: "Events that deliveries carried: inserted, or duplicate if they were stored before.",
    labels: ({ kind, label }) => ({ kind, result: label }),
  },
  duplicates: {
    name: "relay_duplicates_total",
    help: "Events that came again, by cause: another delivery from Meta, a repeated delivery by the queue, or both the queue and the fallback.",
    labels: ({ label }) => ({ cause: label }),
    known: duplicateCauses,
  },
  refusal: {
    name: "relay_refused_total",
    help: "Requests to the webhook that were refused, by reason.",
    labels: ({ runtime, label }) => ({ runtime, reason: label }),
    known: refusalReasons,
  },
  error: {
    name: "relay_forward_errors_total",
    help: "Forwards in which an attempt failed, by the last error.",
    labels: ({ runtime, label }) => ({ runtime, error: label }),
  },
  publishTimeouts: {
    name: "relay_publish_timeouts_total",
    help: "Attempts to publish that ended by the relay's own timeout.",
    labels: ({ runtime }) => ({ runtime }),
    known: [""],
  },
  handlerFailure: {
    name: "relay_handler_failures_total",
    help: "Calls of a handler that failed, by the error's name.",
    labels: ({ kind, label }) => ({ kind, error: label }),
  },
  handlerRetry: {
    name: "relay_handler_retries_total",
    help: "Calls of a handler after the first of an event.",
    labels: ({ kind }) => ({ kind }),
  },
};

/** The totals as counters, summed in the order of the series for the reason that `histogramFamilies` gives. */
export function counterFamilies(totals: readonly MetricTotal[]): NumberFamily[] {
  return Object.entries(counters).map(([metric, { name, help, labels, known = [] }]) => {
    const samples = new Map<string, MetricSample>();
    const add = (total: Parameters<Counter["labels"]>[0], count: number) => {
      const of = labels(total);
      const key = JSON.stringify(of);
      const sample = samples.get(key) ?? { labels: of, value: 0 };
      sample.value += count;
      samples.set(key, sample);
    };
    for (const runtime of runtimes) for (const label of known) add({ runtime, kind: "", label }, 0);
    for (const total of totals) if (total.metric === metric) add(total, total.count);
    return { name, type: "counter", help, samples: [...samples.values()] };
  });
}
