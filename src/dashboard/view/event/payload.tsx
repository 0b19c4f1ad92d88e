import Link from "next/link";

import { formatBytes, formatCount } from "../../format.ts";
import { payloadTree, pointersTo, showUnseen, type TreeNode, type TreeOptions } from "../../events/payload-tree.ts";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";
import { CopyButton } from "./copy-button.tsx";
import styles from "./payload.module.css";

/** Props of `Payload`. */
export interface PayloadProps extends TreeOptions {
  eventId: number;
  /** The text that is stored. */
  payload: string;
  isErased: boolean;
}

/** The item as Meta sent it, as a tree that needs no script, and what copies it. */
export function Payload({ eventId, payload, isErased, at, from }: PayloadProps) {
  const { root, hasLargeIntegers } = payloadTree(JSON.parse(payload), { at, from });
  const size = formatBytes(new TextEncoder().encode(payload).length);
  const path = `/api/ops/events/${eventId}/payload`;
  return (
    <Panel
      id="payload"
      title={isErased ? "Payload, erased" : "Payload as Meta sent it"}
      aside={
        <div className={styles["tools"]}>
          <span className={text["dimmed"]}>{size}</span>
          <CopyButton what="payload" path={path} />
          <CopyButton what="curl" path={path} />
          <a href={path} download={`event-${eventId}.json`}>
            Download
          </a>
        </div>
      }
    >
      {at !== "" && <Place eventId={eventId} at={at} />}
      {/* A region that scrolls must be reachable by keyboard. */}
      <div className={styles["tree"]} role="region" aria-label="Payload" tabIndex={0}>
        <Node node={root} eventId={eventId} depth={0} isOneOfMany={false} />
      </div>
      {hasLargeIntegers && (
        <p className={text["note"]}>
          Digits in quotation marks may have been sent as a number: an integer beyond 2⁵³ is kept as a string, so that
          no digit is lost.
        </p>
      )}
    </Panel>
  );
}

function Place({ eventId, at }: { eventId: number; at: string }) {
  return (
    <nav aria-label="Place in the payload" className={text["lead"]}>
      <Link href={`/dashboard/events/${eventId}#payload`} prefetch={false}>
        The whole payload
      </Link>
      {pointersTo(at).map(({ name, pointer }) => (
        <span key={pointer}>
          {" › "}
          <Link href={hrefOf(eventId, pointer, 0)} prefetch={false}>
            {showUnseen(name)}
          </Link>
        </span>
      ))}
    </nav>
  );
}

/** Deeper parts, and each of many, are closed at first. */
const openDepth = 4;
const manyMin = 20;

interface NodeProps {
  node: TreeNode;
  eventId: number;
  depth: number;
  isOneOfMany: boolean;
}

function Node({ node: { name, pointer, text: scalar, inside }, eventId, depth, isOneOfMany }: NodeProps) {
  const label = name === null ? null : <span className={styles["name"]}>{showUnseen(name)}: </span>;
  if (inside === null) {
    return (
      <>
        {label}
        <span className={styles["value"]}>{scalar}</span>
      </>
    );
  }
  const { isArray, children, count, nextFrom } = inside;
  const amount = `${isArray ? "[" : "{"}${formatCount(count)}${isArray ? "]" : "}"}`;
  return (
    <details open={depth < openDepth && !isOneOfMany}>
      <summary>
        {label}
        <span className={styles["amount"]}>{amount}</span>
      </summary>
      <ul>
        {children.map((child) => (
          <li key={child.pointer}>
            <Node node={child} eventId={eventId} depth={depth + 1} isOneOfMany={count >= manyMin} />
          </li>
        ))}
        {nextFrom !== null && (
          <li>
            <Link href={hrefOf(eventId, pointer, nextFrom)} prefetch={false}>
              {`From ${formatCount(nextFrom)} on, of ${formatCount(count)}`}
            </Link>
          </li>
        )}
      </ul>
    </details>
  );
}

function hrefOf(eventId: number, pointer: string, from: number): string {
  const params = new URLSearchParams({ at: pointer, ...(from === 0 ? {} : { from: String(from) }) });
  return `/dashboard/events/${eventId}?${params}#payload`;
}
