import { Button, NativeSelect } from "@mantine/core";
import Link from "next/link";

import { everything, runtimesHref, type RuntimesQuery } from "../../runtimes/runtimes-query.ts";
import styles from "./filters.module.css";

/** Props of `Filters`. */
export interface FiltersProps {
  query: RuntimesQuery;
  regions: readonly string[];
  deployments: readonly string[];
}

const starts = [
  { value: "all", label: "warm and cold" },
  { value: "warm", label: "warm" },
  { value: "cold", label: "cold" },
];

/** Selects region, deployment and start; a plain form, which works without script. */
export function Filters({ query, regions, deployments }: FiltersProps) {
  const isFiltered = query.region !== "" || query.deployment !== "" || query.cold !== "all";
  return (
    <search>
      <form method="get" action="/dashboard/runtimes" className={styles["filters"]}>
        <input type="hidden" name="window" value={query.window} />
        {/* The key resets the choice when a link changes it. */}
        <Choice key={`r ${query.region}`} label="Region" name="region" value={query.region} values={regions} />
        <Choice
          key={`d ${query.deployment}`}
          label="Deployment"
          name="deployment"
          value={query.deployment}
          values={deployments}
        />
        <NativeSelect key={query.cold} size="xs" label="Start" name="cold" defaultValue={query.cold} data={starts} />
        <Button type="submit" variant="default" size="xs">
          Show
        </Button>
        {isFiltered && (
          <Link href={runtimesHref({ ...query, ...everything })} prefetch={false}>
            Show all
          </Link>
        )}
      </form>
    </search>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  value: string;
  values: readonly string[];
}

function Choice({ label, name, value, values }: ChoiceProps) {
  // An address may name what this window does not hold.
  const all = [...new Set([...values, ...(value === "" ? [] : [value])])];
  return (
    <NativeSelect
      size="xs"
      label={label}
      name={name}
      defaultValue={value}
      data={[{ value: "", label: "all" }, ...all.map((each) => ({ value: each, label: each }))]}
    />
  );
}
