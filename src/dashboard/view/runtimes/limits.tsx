import Link from "next/link";

import type { RuntimeSummary } from "#measurements/runtime-comparison.ts";
import { runtimes } from "#platform/delivery.ts";

import { formatShare, runtimeLabel } from "../../format.ts";
import { Panel, ScrollBox } from "../panel.tsx";
import { RuntimeMark } from "../runtime-mark.tsx";
import tables from "../table.module.css";

/** Props of `Limits`. */
export interface LimitsProps {
  summaries: readonly RuntimeSummary[];
  /** Where the deliveries are whose ack took longer. */
  hrefOfSlower: (limitMs: number) => string;
}

const limits = [
  { key: "ms250", ms: 250, name: "250 ms", meaning: "Meta’s guide for the median" },
  { key: "ms1000", ms: 1_000, name: "1 s", meaning: "Meta’s guide for 99 %" },
  { key: "ms5000", ms: 5_000, name: "5 s", meaning: "Meta’s limit: it sends again" },
] as const;

/** The shares of acks within Meta's limits. */
export function Limits({ summaries, hrefOfSlower }: LimitsProps) {
  return (
    <Panel id="limits" title="Acks within Meta’s limits">
      <ScrollBox label="Acks within Meta’s limits">
        <table className={tables["table"]}>
          <caption>Shares of acks within Meta’s limits</caption>
          <thead>
            <tr>
              <th scope="col">Within</th>
              {runtimes.map((runtime) => (
                <th key={runtime} scope="col" data-numeric>
                  <RuntimeMark runtime={runtime} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {limits.map(({ key, ms, name, meaning }) => {
              const shares = runtimes.map(
                (runtime) => summaries.find((summary) => summary.runtime === runtime)?.ackWithin?.[key] ?? null,
              );
              return (
                <tr key={key}>
                  <th scope="row" className={tables["wrapped"]}>
                    {name} <span className={tables["meaning"]}>{meaning}</span>
                    {shares.some((share) => share !== null && share < 1) && (
                      <Link href={hrefOfSlower(ms)} prefetch={false} className={tables["meaning"]}>
                        Slower deliveries
                      </Link>
                    )}
                  </th>
                  {shares.map((share, index) => (
                    <td key={runtimeLabel(runtimes[index] ?? "")} data-numeric>
                      {formatShare(share)}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}
