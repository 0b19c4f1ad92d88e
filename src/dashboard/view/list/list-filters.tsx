import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import type { ListAddress } from "../../lists/list-request.ts";
import { localTime } from "../../zoned-time.ts";
import { Conditions } from "./conditions.tsx";
import type { ListField } from "./list-field.ts";
import styles from "./list-filters.module.css";

/** Props of `ListFilters`. */
export interface ListFiltersProps extends ListAddress {
  fields: readonly ListField[];
  /** What the times `from` and `to` are about, such as "Received"; without it the list has no times. */
  times?: string;
  /** The viewer's zone. */
  zone: string;
  /** Further links and buttons, at the end of the row of conditions. */
  children?: ReactNode;
}

/** Narrows a list down: a plain form, which works without script, and the active conditions, each of which can be removed. */
export function ListFilters({ path, query, fields, times, zone, children }: ListFiltersProps) {
  const usual = fields.filter(({ isRare }) => isRare !== true);
  const rare = fields.filter(({ isRare }) => isRare === true);
  return (
    // The key resets the fields when a link changes the conditions.
    <search key={JSON.stringify(query)}>
      <form method="get" action={path} className={styles["form"]}>
        <div className={styles["fields"]}>
          {usual.map((field) => (
            <Field key={field.name} field={field} value={query[field.name]} />
          ))}
          {times !== undefined && <Times label={times} query={query} zone={zone} />}
        </div>
        {rare.length > 0 && (
          <details className={styles["more"]} open={rare.some(({ name }) => query[name] !== undefined)}>
            <summary>More conditions</summary>
            <div className={styles["fields"]}>
              {rare.map((field) => (
                <Field key={field.name} field={field} value={query[field.name]} />
              ))}
            </div>
          </details>
        )}
        <Group gap="8px 14px" justify="space-between">
          <Group gap="8px 14px">
            <Button type="submit" variant="default" size="xs">
              Show
            </Button>
            <Conditions path={path} query={query} fields={fields} times={times} zone={zone} />
          </Group>
          {children !== undefined && <Group gap="8px 14px">{children}</Group>}
        </Group>
      </form>
    </search>
  );
}

function Field({
  field: { name, label, options, placeholder },
  value = "",
}: {
  field: ListField;
  value?: string | undefined;
}) {
  if (options === undefined) {
    return (
      <TextInput
        size="xs"
        label={label}
        name={name}
        defaultValue={value}
        placeholder={placeholder ?? ""}
        maxLength={300}
      />
    );
  }
  // An address may name what is no option, and that must not look like "all".
  const isOther = value !== "" && options.every((option) => option.value !== value);
  return (
    <NativeSelect
      size="xs"
      label={label}
      name={name}
      defaultValue={value}
      data={[{ value: "", label: "all" }, ...options, ...(isOther ? [{ value, label: value }] : [])]}
    />
  );
}

const periods = [
  { value: "", label: "as filled in" },
  { value: "15m", label: "the last 15 minutes" },
  { value: "1h", label: "the last hour" },
  { value: "24h", label: "the last 24 hours" },
  { value: "7d", label: "the last 7 days" },
  { value: "30d", label: "the last 30 days" },
];

/** The two times in the viewer's zone, or a period, which begins when the form is sent. */
function Times({ label, query, zone }: { label: string; query: ListAddress["query"]; zone: string }) {
  const valueOf = (name: string) => {
    const iso = query[name] ?? "";
    return Number.isNaN(Date.parse(iso)) ? "" : localTime(iso, zone);
  };
  return (
    <>
      {["from", "to"].map((name) => (
        <TextInput
          key={name}
          size="xs"
          type="datetime-local"
          // Seconds and milliseconds are kept.
          step="any"
          label={`${label} ${name === "from" ? "from" : "before"} (${zone})`}
          name={name}
          defaultValue={valueOf(name)}
        />
      ))}
      <NativeSelect size="xs" label={`${label} in`} name="last" defaultValue="" data={periods} />
    </>
  );
}
