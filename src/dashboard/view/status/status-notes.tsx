import Link from "next/link";

import type { ItemName, Status, StatusItem } from "../../status/status.ts";
import { Panel } from "../panel.tsx";
import styles from "./status.module.css";

/** What the counts mean now, and what the last deployment changed, in words. */
export function StatusNotes({ status: { items, deployment } }: { status: Status }) {
  // A pause has a banner of its own, with the button that ends it.
  const wrong = items.filter(({ name, state }) => state !== "ok" && name !== "pause");
  const said = items.filter(({ name, state }) => state === "ok" && (name === "metaHour" || name === "lost"));
  return (
    <Panel id="notes" title="What to look at">
      <ul className={styles["notes"]}>
        {wrong.map((item) => (
          <Note key={item.name} item={item} />
        ))}
        {said.map((item) => (
          <Note key={item.name} item={item} />
        ))}
        <li data-state="ok">
          <span className={styles["name"]}>Last deployment</span>
          <span>
            {deployment === null
              ? "–: no deployment has measured anything in the last seven days."
              : deployment.sentence}
          </span>
        </li>
      </ul>
    </Panel>
  );
}

function Note({ item: { name, state, sentence, href } }: { item: StatusItem }) {
  return (
    <li data-state={state}>
      <span className={styles["name"]}>{names[name]}</span>
      <span>
        {sentence}
        {href !== null && state !== "ok" && (
          <>
            {" "}
            <Link href={href} prefetch={false} aria-label={`Show: ${names[name]}`}>
              Show
            </Link>
          </>
        )}
      </span>
    </li>
  );
}

const names: Record<ItemName, string> = {
  lost: "Lost",
  refused: "Refused",
  stuck: "Stuck",
  failing: "Failing",
  waiting: "Waiting",
  metaHour: "Meta’s hour",
  store: "Postgres",
  publish: "QStash",
  pause: "Pause",
  expiring: "Expiring",
  ack: "Acks",
  maintenance: "Maintenance",
  canary: "Canary",
  silence: "Silence",
  partitions: "Partitions",
};
