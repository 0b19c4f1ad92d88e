import { formatMs } from "../format.ts";
import { type JourneyStep, journeySteps } from "../journey-steps.ts";
import type { DeliveryJourney } from "../read-delivery.ts";
import styles from "./journey.module.css";
import text from "./text.module.css";
import { Instant } from "./timestamp.tsx";

/** The steps of a delivery as a timeline. */
export function Journey({ journey }: { journey: DeliveryJourney }) {
  const steps = journeySteps(journey);
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
              <StepTime {...step} />
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

function StepTime({ atMs, missing, gapMs, sinceReceivedMs }: JourneyStep) {
  if (atMs === null) return <span className={text["dimmed"]}>{missing}</span>;
  const iso = new Date(atMs).toISOString();
  return (
    <>
      <Instant iso={iso} />
      {gapMs !== null && (
        <span className={styles["gap"]}>
          <strong>{gapMs < 0 ? formatMs(gapMs) : `+${formatMs(gapMs)}`}</strong>
          {gapMs !== sinceReceivedMs && `, ${formatMs(sinceReceivedMs)} after it was received`}
        </span>
      )}
    </>
  );
}
