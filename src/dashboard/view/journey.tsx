import { formatMs } from "../format.ts";
import { type JourneyStep, journeySteps } from "../deliveries/journey-steps.ts";
import type { DeliveryItem } from "../deliveries/delivery-columns.ts";
import styles from "./journey.module.css";
import text from "./text.module.css";
import { Instant } from "./timestamp.tsx";

/** Props of `Journey`. */
export interface JourneyProps {
  journey: DeliveryItem;
  /** Why it is not handled, where more is known than that. */
  unhandled?: string | undefined;
}

/** The steps from Meta to the handlers as a timeline, of a delivery or of one event. */
export function Journey({ journey, unhandled }: JourneyProps) {
  const steps = journeySteps(journey, unhandled);
  const first = journey.via === "backfill" ? "it was read" : "it was received";
  return (
    <>
      <ol className={styles["journey"]}>
        {steps.map((step) => (
          <li key={step.name} data-done={step.atMs !== null}>
            <div className={styles["stepName"]}>
              {step.name}
              <span className={text["meaning"]}>{step.meaning}</span>
            </div>
            <div className={styles["stepTime"]}>
              <StepTime {...step} first={first} />
            </div>
          </li>
        ))}
      </ol>
      {steps.some((step) => (step.gapMs ?? 0) < 0) && (
        <p className={text["note"]}>
          A negative duration means that two steps overlapped, or that the clocks of two machines differ.
        </p>
      )}
    </>
  );
}

/** `first`: what the first step was. */
function StepTime({ atMs, missing, gapMs, sinceReceivedMs, first }: JourneyStep & { first: string }) {
  if (atMs === null) return <span className={text["dimmed"]}>{missing}</span>;
  const iso = new Date(atMs).toISOString();
  return (
    <>
      <Instant iso={iso} />
      {gapMs !== null && (
        <span className={styles["gap"]}>
          <strong>{gapMs < 0 ? formatMs(gapMs) : `+${formatMs(gapMs)}`}</strong>
          {gapMs !== sinceReceivedMs && `, ${formatMs(sinceReceivedMs)} after ${first}`}
        </span>
      )}
    </>
  );
}
