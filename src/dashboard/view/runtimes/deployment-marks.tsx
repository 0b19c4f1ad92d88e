import Link from "next/link";

import type { RuntimeComparison } from "#measurements/runtime-comparison.ts";

import { Instant } from "../timestamp.tsx";
import styles from "./latency-over-time.module.css";

/** Props of `DeploymentMarks`. */
export interface DeploymentMarksProps {
  deployments: RuntimeComparison["deployments"];
  hrefOf: (deployment: string) => string;
}

/** The deployments that the charts mark, numbered as there; each leads to its own figures. */
export function DeploymentMarks({ deployments, hrefOf }: DeploymentMarksProps) {
  if (deployments.length === 0) return null;
  return (
    <div className={styles["deployments"]}>
      <h3>Deployments</h3>
      <ol>
        {deployments.map(({ id, firstSeenAt }) => (
          <li key={id}>
            <Link href={hrefOf(id)} prefetch={false}>
              {id}
            </Link>{" "}
            since <Instant iso={firstSeenAt} minute />
          </li>
        ))}
      </ol>
    </div>
  );
}
