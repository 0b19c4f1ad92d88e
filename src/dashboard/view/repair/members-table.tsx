import Link from "next/link";

import { formatBytes } from "../../format.ts";
import { isReplayId, resolvedWords } from "../../repair/describe-group.ts";
import type { DeadLetterItem } from "../../repair/read-dead-letters.ts";
import { ScrollBox } from "../panel.tsx";
import tables from "../table.module.css";
import text from "../text.module.css";
import { Timestamp } from "../timestamp.tsx";

/** One page of a group's dead letters. */
export function MembersTable({ letters, nowMs }: { letters: readonly DeadLetterItem[]; nowMs: number }) {
  return (
    <ScrollBox label="Members">
      <table className={tables["table"]}>
        <caption>Dead letters of the group, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Given up</th>
            <th scope="col">Event</th>
            <th scope="col">Delivery</th>
            <th scope="col" data-numeric>
              Attempts
            </th>
            <th scope="col">Deployment</th>
            <th scope="col">Our copy</th>
            <th scope="col">Resolved</th>
          </tr>
        </thead>
        <tbody>
          {letters.map((letter) => (
            <Row key={letter.id} letter={letter} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Row({ letter, nowMs }: { letter: DeadLetterItem; nowMs: number }) {
  const { recordedAt, eventId, deliveryId, batchIndex, attempts, deployment, resolvedAt, resolvedBy } = letter;
  return (
    <tr>
      <td data-numeric="start">
        <Timestamp iso={recordedAt} nowMs={nowMs} />
      </td>
      <td data-numeric="start">
        {eventId === null ? (
          "–"
        ) : (
          <Link href={`/dashboard/events/${eventId}`} prefetch={false}>
            {eventId}
          </Link>
        )}
      </td>
      <td className={text["mono"]}>
        {deliveryId === null ? (
          "–"
        ) : (
          <Link href={`/dashboard/deliveries/${encodeURIComponent(deliveryId)}`} prefetch={false}>
            {`${deliveryId.slice(0, 8)}…${deliveryId.slice(-4)}`}
          </Link>
        )}
        {batchIndex !== null && batchIndex > 0 && `, batch ${batchIndex}`}
      </td>
      <td data-numeric>{attempts ?? "–"}</td>
      <td className={text["mono"]}>{deployment ?? "–"}</td>
      <td>{describeCopy(letter)}</td>
      <td>
        {resolvedAt === null ? (
          resolvedBy === null ? (
            "no"
          ) : (
            <>
              not yet, <Resolver name={resolvedBy} />
            </>
          )
        ) : (
          <>
            <Timestamp iso={resolvedAt} nowMs={nowMs} /> {resolvedBy !== null && <Resolver name={resolvedBy} />}
          </>
        )}
      </td>
    </tr>
  );
}

function Resolver({ name }: { name: string }) {
  if (!isReplayId(name)) return resolvedWords(name);
  return (
    <Link href={`/dashboard/replays/${name}`} prefetch={false}>
      {resolvedWords(name)}
    </Link>
  );
}

/** An event is stored whole; a batch has its bytes here until it is ingested. */
function describeCopy({ eventId, bodyBytes, bodyWhole }: DeadLetterItem): string {
  if (eventId !== null) return "the event itself";
  if (bodyBytes === null) return "–";
  return bodyWhole === true ? formatBytes(bodyBytes) : `${formatBytes(bodyBytes)}, cut`;
}
