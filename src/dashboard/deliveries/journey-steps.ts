import { runtimeLabel } from "../format.ts";
import type { DeliveryItem } from "./delivery-columns.ts";

export interface JourneyStep {
  name: string;
  meaning: string;
  atMs: number | null;
  /** Why the step has no time. */
  missing: string;
  /** From the last earlier step that has a time; negative if two machines' clocks differ or two steps overlap. */
  gapMs: number | null;
  sinceReceivedMs: number | null;
}

/** The six steps of every delivery from Meta, or the three of a backfill's, in the order of the path, each with the time since the step before it. `unhandled`: see `JourneyProps`. */
export function journeySteps(journey: DeliveryItem, unhandled?: string): JourneyStep[] {
  const receivedMs = Date.parse(journey.receivedAt);
  const steps: JourneyStep[] = [];
  let previousMs: number | null = null;
  for (const step of namedSteps(journey, receivedMs, unhandled)) {
    const { atMs } = step;
    const gapMs: number | null = atMs === null || previousMs === null ? null : atMs - previousMs;
    steps.push({ ...step, gapMs, sinceReceivedMs: atMs === null ? null : atMs - receivedMs });
    previousMs = atMs ?? previousMs;
  }
  return steps;
}

function namedSteps(
  journey: DeliveryItem,
  receivedMs: number,
  unhandled: string | undefined,
): Pick<JourneyStep, "name" | "meaning" | "atMs" | "missing">[] {
  const { outcome, ackMs } = journey;
  if (journey.via === "backfill") return backfillSteps(journey, receivedMs, unhandled);
  const isForwarded = outcome !== "lost" && outcome !== "refused";
  const pending = isForwarded ? "not yet" : `none: the forward was ${outcome}`;
  const unpublished = outcome === "fallback" ? "not through the queue but by the fallback" : pending;
  // Of most published batches no report says when.
  const unreported = outcome === "published" || ackMs === null ? "not reported" : unpublished;
  return [
    { name: "Received", meaning: `by the ${runtimeLabel(journey.runtime)} handler`, atMs: receivedMs, missing: "" },
    {
      name: "Acknowledged",
      meaning: outcome === "refused" ? "with 503, so that Meta keeps it" : "200 to Meta",
      atMs: ackMs === null ? null : receivedMs + ackMs,
      missing: outcome === "refused" ? "answered with 503" : "no ack, or no report of it",
    },
    {
      name: "Published",
      meaning: "accepted by the queue",
      atMs: epochMs(journey.publishedAt),
      missing: outcome === "refused" ? unpublished : unreported,
    },
    { name: "Delivered", meaning: "to the consumer", atMs: epochMs(journey.deliveredAt), missing: pending },
    { name: "Ingested", meaning: "committed to Postgres", atMs: epochMs(journey.ingestedAt), missing: pending },
    { name: "Handled", meaning: "by your handlers", atMs: epochMs(journey.handledAt), missing: unhandled ?? pending },
  ];
}

/** No webhook came, and nothing was acknowledged or published. */
function backfillSteps(
  { ingestedAt, handledAt }: DeliveryItem,
  receivedMs: number,
  unhandled = "not yet",
): Pick<JourneyStep, "name" | "meaning" | "atMs" | "missing">[] {
  return [
    { name: "Read", meaning: "from Instagram's API, by a backfill", atMs: receivedMs, missing: "" },
    { name: "Ingested", meaning: "committed to Postgres", atMs: epochMs(ingestedAt), missing: "not yet" },
    { name: "Handled", meaning: "by your handlers", atMs: epochMs(handledAt), missing: unhandled },
  ];
}

function epochMs(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}
