import Link from "next/link";

import type { RuntimeSummary } from "#measurements/runtime-comparison.ts";
import { runtimes } from "#platform/delivery.ts";

import { formatCount } from "../../format.ts";
import type { Conditions } from "../../lists/list-hrefs.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";

/** Props of `Failures`. */
export interface FailuresProps {
  summaries: readonly RuntimeSummary[];
  /** Where the deliveries of this page's window are to which all of this applies. */
  hrefOf: (deliveries: Conditions) => string;
}

interface Row {
  name: string;
  count: (summary: RuntimeSummary) => number;
  /** Undefined where no list has the rows. */
  deliveries?: Conditions;
  isBad?: boolean;
}

/** What went wrong on both runtimes; each number leads to its deliveries. */
export function Failures({ summaries, hrefOf }: FailuresProps) {
  const keysOf = (record: (summary: RuntimeSummary) => Record<string, number>) => [
    ...new Set(summaries.flatMap((summary) => Object.keys(record(summary)))),
  ];
  const rows: Row[] = [
    { name: "Lost", count: ({ lost }) => lost, deliveries: { outcome: "lost" }, isBad: true },
    { name: "Not acknowledged", count: ({ refused }) => refused, deliveries: { outcome: "refused" } },
    { name: "Through the fallback", count: ({ fallback }) => fallback, deliveries: { outcome: "fallback" } },
    { name: "Publish attempts timed out", count: ({ publishTimeouts }) => publishTimeouts },
    ...keysOf(({ errors }) => errors).map((error) => ({
      name: `Error ${error}`,
      count: ({ errors }: RuntimeSummary) => errors[error] ?? 0,
      deliveries: { error },
    })),
    ...keysOf(({ refusals }) => refusals).map((reason) => ({
      name: `Turned away: ${reason}`,
      count: ({ refusals }: RuntimeSummary) => refusals[reason] ?? 0,
    })),
  ];
  return (
    <Panel id="failures" title="Errors and timeouts">
      <ScrollBox label="Errors and timeouts">
        <table className={tables["table"]}>
          <caption>What went wrong on both runtimes, out of all deliveries</caption>
          <thead>
            <tr>
              <th scope="col">What</th>
              {runtimes.map((runtime) => (
                <th key={runtime} scope="col" data-numeric>
                  <RuntimeMark runtime={runtime} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">Deliveries</th>
              {runtimes.map((runtime) => (
                <Count key={runtime} count={of(summaries, runtime)?.deliveries ?? 0} href={hrefOf({ runtime })} />
              ))}
            </tr>
            {rows.map(({ name, count, deliveries, isBad = false }) => (
              <tr key={name}>
                <th scope="row" className={tables["wrapped"]}>
                  {name}
                </th>
                {runtimes.map((runtime) => {
                  const summary = of(summaries, runtime);
                  return (
                    <Count
                      key={runtime}
                      count={summary === undefined ? 0 : count(summary)}
                      href={deliveries && hrefOf({ ...deliveries, runtime })}
                      isBad={isBad}
                    />
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}

function of(summaries: readonly RuntimeSummary[], runtime: string): RuntimeSummary | undefined {
  return summaries.find((summary) => summary.runtime === runtime);
}

function Count({ count, href, isBad = false }: { count: number; href: string | undefined; isBad?: boolean }) {
  return (
    <td data-numeric data-tone={isBad && count > 0 ? "bad" : undefined}>
      {count > 0 && href !== undefined ? (
        <Link href={href} prefetch={false}>
          {formatCount(count)}
        </Link>
      ) : (
        formatCount(count)
      )}
    </td>
  );
}
