import type { Account } from "./account.ts";
import type { ServerLog } from "./server-log.ts";

/**
 * What has to come out. `all`: every acknowledged event is stored, once, and handled. `given up`: the same, but handlers
 * may have been given up, each with a dead letter. `in flight`: what is missing was being forwarded when its process was
 * killed. `named`: what is missing was named by the server as lost, and acknowledged before the server knew that it could
 * keep nothing.
 */
export type Requirement = "all" | "given up" | "in flight" | "named";

export interface Evidence extends Pick<ServerLog, "cutOff" | "lostKeys" | "lostKnowingly"> {
  /** QStash's. */
  deadLetters: number;
  /** Events whose handler succeeded more than once, though nothing kept the first success from being stored. */
  repeated: number;
}

/** Why the account is not what is required; empty if it is. */
export function judge(requirement: Requirement, account: Account, evidence: Evidence): string[] {
  const { lost } = account;
  const findings: [number, string][] = [
    [account.sent - account.acked, "never acked"],
    [account.duplicates, "duplicates"],
    [account.unhandled - (requirement === "given up" ? account.work.dead : 0), "stored but not handled"],
    [account.work.forgotten, "open that nobody will try"],
    [account.work.unseen, "given up without a dead letter"],
    [evidence.repeated, "succeeded twice"],
    [evidence.deadLetters, "dead letters"],
  ];
  switch (requirement) {
    case "all":
    case "given up":
      findings.push([lost.length, "lost"]);
      break;
    case "in flight":
      findings.push([lost.filter(({ deliveryId }) => !evidence.cutOff.has(deliveryId)).length, "lost, not in flight"]);
      break;
    case "named": {
      const unnamed = lost.filter(({ missing }) => !missing.every((key) => evidence.lostKeys.has(key)));
      findings.push([unnamed.length, "lost without a word"]);
      findings.push([evidence.lostKnowingly.size, "acked though nothing could be kept"]);
      break;
    }
  }
  return findings.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}
