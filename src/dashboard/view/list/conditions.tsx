import Link from "next/link";

import { formatInstant } from "../../format.ts";
import { type ListAddress, listHref } from "../../lists/list-request.ts";
import type { ListField } from "./list-field.ts";
import styles from "./list-filters.module.css";

/** Props of `Conditions`. */
export interface ConditionsProps extends ListAddress {
  fields: readonly ListField[];
  /** What the times `from` and `to` are about. */
  times?: string | undefined;
  zone: string;
}

/** The conditions in a list's address, also those that have no field, as links that remove them. */
export function Conditions({ path, query, fields, times = "", zone }: ConditionsProps) {
  const conditions = Object.entries(query);
  if (conditions.length === 0) return null;
  return (
    <ul className={styles["chips"]} aria-label="Conditions">
      {conditions.map(([name, value]) => {
        const field = fields.find((each) => each.name === name);
        const label = field?.label ?? timeLabel(name, times) ?? name;
        const shown = field?.options?.find((option) => option.value === value)?.label ?? timeOr(name, value, zone);
        const others = Object.fromEntries(conditions.filter(([other]) => other !== name));
        return (
          <li key={name}>
            <Link
              href={listHref({ path, query: others })}
              prefetch={false}
              className={styles["chip"]}
              aria-label={`Remove the condition ${label} ${shown}`}
            >
              <b>{label}</b> {shown} <span aria-hidden>×</span>
            </Link>
          </li>
        );
      })}
      {conditions.length > 1 && (
        <li>
          <Link href={path} prefetch={false}>
            Show all
          </Link>
        </li>
      )}
    </ul>
  );
}

function timeLabel(name: string, times: string): string | undefined {
  return name === "from" ? `${times} from`.trim() : name === "to" ? `${times} before`.trim() : undefined;
}

function timeOr(name: string, value: string, zone: string): string {
  const isTime = (name === "from" || name === "to") && !Number.isNaN(Date.parse(value));
  return isTime ? formatInstant(new Date(value).toISOString(), zone) : value;
}
