import { formatBytes, formatCount, formatMs, runtimeLabel } from "../../format.ts";
import type { DeliveryDetails, DeliveryJourney } from "../../deliveries/read-delivery.ts";
import styles from "../facts.module.css";

/** The facts of a delivery and of its forward. */
export function DeliveryFacts({ journey, details }: { journey: DeliveryJourney; details: DeliveryDetails }) {
  const { batches } = details;
  const facts: [name: string, value: string][] = [
    ["Runtime", `${runtimeLabel(journey.runtime)}${journey.coldStart ? ", cold start" : ""}`],
    ["Region", journey.region ?? "–"],
    ["Deployment", journey.deployment ?? "–"],
    ["Body", formatBytes(details.bodyBytes)],
    ["Events", orDash(journey.events)],
    ["Inserted", orDash(journey.inserted)],
    ["Duplicates", orDash(journey.duplicates)],
    ["Batches ingested", `${batches.ingested} of ${batches.total ?? "?"}`],
    ["Ack", formatMs(journey.ackMs)],
    ["Publish", formatMs(details.publishMs)],
    ["Publish attempts", orDash(details.publishAttempts)],
    ["Timeouts", orDash(details.timeouts)],
    ["Last error", journey.error ?? "none"],
  ];
  return (
    <dl className={styles["facts"]}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function orDash(count: number | null): string {
  return count === null ? "–" : formatCount(count);
}
