import { describeHandling } from "../describe-handling.ts";
import { formatCount, formatIn, formatMs } from "../format.ts";
import type { DeliveryAttempt } from "../read-delivery-attempts.ts";
import type { DeliveryJourney } from "../read-delivery.ts";
import type { EventHandling } from "../read-event-handling.ts";
import badges from "./badges.module.css";
import events from "./event-details.module.css";
import tables from "./table.module.css";
import text from "./text.module.css";
import { Panel, ScrollBox } from "./panel.tsx";
import { Timestamp } from "./timestamp.tsx";

/** Every call to ingest a delivery, and when QStash tries next. */
export function AttemptsPanel({ journey, nowMs }: { journey: DeliveryJourney; nowMs: number }) {
  const { attempts, nextDeliveryAt } = journey;
  return (
    <Panel
      id="attempts"
      title="Attempts to ingest it"
      aside={
        nextDeliveryAt !== undefined && (
          <span className={text["dimmed"]}>QStash tries again {formatIn(nextDeliveryAt, nowMs)}</span>
        )
      }
    >
      {attempts.length === 0 ? (
        <p className={text["nothing"]}>No attempt is recorded yet.</p>
      ) : (
        <ScrollBox label="Attempts to ingest it">
          <table className={tables["table"]}>
            <caption>Calls of the consumer, the first one first; times in UTC</caption>
            <thead>
              <tr>
                <th scope="col">At</th>
                <th scope="col" data-numeric>
                  Batch
                </th>
                <th scope="col" data-numeric>
                  Retry
                </th>
                <th scope="col">Answer</th>
                <th scope="col" data-numeric>
                  Took
                </th>
                <th scope="col">Events</th>
                <th scope="col">QStash message</th>
              </tr>
            </thead>
            <tbody>
              {attempts.map((attempt) => (
                <AttemptRow key={`${attempt.at} ${attempt.batch} ${attempt.retried}`} attempt={attempt} nowMs={nowMs} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}

function AttemptRow({ attempt, nowMs }: { attempt: DeliveryAttempt; nowMs: number }) {
  const { at, batch, retried, status, error, ms, handled, failed, messageId } = attempt;
  return (
    <tr>
      <td data-numeric="start">
        <Timestamp iso={at} nowMs={nowMs} />
      </td>
      <td data-numeric>{batch ?? "–"}</td>
      <td data-numeric>{retried ?? "–"}</td>
      <td>{error === null ? status : `${status} ${error}`}</td>
      <td data-numeric>{formatMs(ms)}</td>
      <td>{handled === null ? "–" : `${formatCount(handled)} handled, ${formatCount(failed ?? 0)} failed`}</td>
      <td className={text["mono"]}>{messageId ?? (status === 200 ? "none: by the fallback" : "–")}</td>
    </tr>
  );
}

/** The events whose handlers failed, or have not run yet, each with its calls. */
export function HandlersPanel({ handlers, nowMs }: { handlers: readonly EventHandling[]; nowMs: number }) {
  if (handlers.length === 0) return null;
  return (
    <Panel id="handlers" title="Handlers">
      {handlers.map((handling) => (
        <details key={handling.eventId} className={events["event"]} open={handlers.length === 1}>
          <summary>
            <span className={text["mono"]}>
              {handling.kind} {handling.eventId}
            </span>
            <span className={badges["state"]} data-state={handling.state}>
              {describeHandling(handling, nowMs)}
            </span>
          </summary>
          <Calls handling={handling} nowMs={nowMs} />
        </details>
      ))}
    </Panel>
  );
}

function Calls({ handling: { calls, eventId }, nowMs }: { handling: EventHandling; nowMs: number }) {
  if (calls.length === 0) return <p className={text["nothing"]}>No call of its handler is recorded.</p>;
  return (
    <ScrollBox label={`Calls of the handler of event ${eventId}`}>
      <table className={tables["table"]}>
        <thead>
          <tr>
            <th scope="col">At</th>
            <th scope="col" data-numeric>
              Attempt
            </th>
            <th scope="col">Result</th>
            <th scope="col" data-numeric>
              Took
            </th>
            <th scope="col">Where</th>
            <th scope="col">Deployment</th>
          </tr>
        </thead>
        <tbody>
          {calls.map(({ at, attempt, error, code, message, ms, frames, deployment, replay }) => (
            <tr key={at}>
              <td data-numeric="start">
                <Timestamp iso={at} nowMs={nowMs} />
              </td>
              <td data-numeric>{replay === null ? attempt : `${attempt}, replay`}</td>
              <td className={tables["sentence"]}>
                {error === null ? "handled" : [error, code, message].filter((part) => part !== null).join(" · ")}
              </td>
              <td data-numeric>{formatMs(ms)}</td>
              <td className={text["mono"]}>{frames[0] ?? "–"}</td>
              <td className={text["mono"]}>{deployment ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
