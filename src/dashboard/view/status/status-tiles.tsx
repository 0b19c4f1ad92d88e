import Link from "next/link";

import { formatCount } from "../../format.ts";
import type { ItemName, StatusItem } from "../../status/status.ts";
import { Timestamp } from "../timestamp.tsx";
import styles from "./status.module.css";

/** The five questions, in their order, with what a count of each counts. */
const tiles: readonly { name: ItemName; label: string; meaning: string }[] = [
  { name: "lost", label: "Lost", meaning: "deliveries, 24 h" },
  { name: "refused", label: "Refused", meaning: "deliveries, 1 h" },
  { name: "stuck", label: "Stuck", meaning: "events and deliveries" },
  { name: "failing", label: "Failing", meaning: "retried and dead events" },
  { name: "waiting", label: "Waiting", meaning: "events" },
];

/** The counts that come first; each leads to its list. */
export function StatusTiles({ items, nowMs }: { items: readonly StatusItem[]; nowMs: number }) {
  return (
    <ul className={styles["tiles"]} aria-label="Lost, refused, stuck, failing, waiting" data-rows>
      {tiles.map((tile) => {
        const item = items.find(({ name }) => name === tile.name);
        return item === undefined ? null : <Tile key={tile.name} {...tile} item={item} nowMs={nowMs} />;
      })}
    </ul>
  );
}

interface TileProps {
  label: string;
  meaning: string;
  item: StatusItem;
  nowMs: number;
}

function Tile({ label, meaning, item: { state, count, isCapped, since, href }, nowMs }: TileProps) {
  const shown = count === null ? "–" : `${formatCount(count)}${isCapped ? "+" : ""}`;
  const leads = href !== null && count !== null && count > 0;
  return (
    <li className={styles["tile"]} data-state={state}>
      <span className={styles["label"]}>{label}</span>
      <span className={styles["count"]}>
        {leads ? (
          <Link href={href} prefetch={false} aria-label={`${label}: ${shown} ${meaning}`}>
            {shown}
          </Link>
        ) : (
          shown
        )}
      </span>
      <span className={styles["meaning"]}>
        {since === null || count === 0 ? (
          meaning
        ) : (
          <>
            since <Timestamp iso={since} nowMs={nowMs} />
          </>
        )}
      </span>
    </li>
  );
}
