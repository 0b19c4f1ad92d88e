import { formatCount } from "../format.ts";
import type { DeadLetterGroup } from "./read-dead-letter-groups.ts";

/** Cause, error and kind of a group, as its name: `TypeError · CRM_SHAPE`. */
export function groupName({ cause, errorName, errorCode }: DeadLetterGroup): string {
  return [errorName ?? cause, errorCode].filter((part) => part !== null).join(" · ");
}

/** What gave up, and why, in words. */
export function groupCause({ cause, kind }: DeadLetterGroup): string {
  switch (cause) {
    case "handler":
      return `The handler of ${kind === null ? "events" : `${kind} events`} failed at its last attempt`;
    case "qstash":
      return "The queue's retries for a batch are used up; it was never ingested";
    case "undecodable":
      return "What the queue delivered is no batch";
    case "too-large":
      return "An event is too large to be stored";
    default:
      return cause;
  }
}

/** How many, with the word for what they are: a handler's dead letters are events, others whole batches. */
export function groupCount({ cause, isCapped }: DeadLetterGroup, count: number): string {
  const [one, several] = cause === "handler" ? ["event", "events"] : ["batch", "batches"];
  const isOver = isCapped && count >= 10_000;
  return `${formatCount(count)}${isOver ? "+" : ""} ${count === 1 ? one : several}`;
}

/** The state in words, with who or what made it. */
export function groupStateWords({ state, regressedAt, changedBy, resolvedBy }: DeadLetterGroup): string {
  if (state === "open") return regressedAt === null ? "open" : "open again, regression";
  if (state === "acknowledged") return `acknowledged${changedBy === null ? "" : ` by ${changedBy}`}`;
  if (state === "ignored") return `ignored${changedBy === null ? "" : ` by ${changedBy}`}`;
  return `resolved${resolvedBy === null ? "" : ` ${resolvedWords(resolvedBy)}`}`;
}

/** Whether it is the id of a replay, which has a page of its own and is too long for a row. */
export function isReplayId(resolvedBy: string): boolean {
  return /^rp_[0-9a-f]{32}$/.test(resolvedBy);
}

/** Who or what resolved a group or one of its members. */
export function resolvedWords(resolvedBy: string): string {
  if (resolvedBy === "handled" || resolvedBy === "ingested") return `by itself: ${resolvedBy}`;
  if (resolvedBy === "unsent") return "as its message was unsent";
  if (resolvedBy === "data-deletion") return "by the erasure of a person";
  if (isReplayId(resolvedBy)) return "by a replay";
  const [, deployment] = /^deployment:(.+)$/.exec(resolvedBy) ?? [];
  return deployment === undefined ? `by ${resolvedBy}` : `by deployment ${deployment}`;
}

/** QStash's own copies are a second chance; so long before their end a person must know. */
const expiryWarnedMs = 24 * 3_600_000;

/** Whether QStash deletes the first of its own copies within a day, or has. */
export function isExpiring({ expiresAt, open }: DeadLetterGroup, nowMs: number): boolean {
  return open > 0 && expiresAt !== null && Date.parse(expiresAt) - nowMs < expiryWarnedMs;
}
