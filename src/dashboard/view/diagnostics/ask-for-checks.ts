import type { CheckResult } from "../../diagnostics/check-result.ts";
import { fetchInTime } from "../fetch-in-time.ts";

/** The checks of a group, or why there are none. */
export type ChecksAnswer = { checks: CheckResult[] } | { failure: string };

/** Runs a group of checks on the relay. Never rejects. */
export async function askForChecks(name: string): Promise<ChecksAnswer> {
  try {
    const response = await fetchInTime(`/api/diagnostics/${name}`, { method: "POST" });
    // A proxy in front of the server may answer with something other than JSON.
    const answer = (await response.json().catch(() => null)) as {
      checks?: CheckResult[];
      error?: { message?: string };
    } | null;
    if (response.ok && answer?.checks !== undefined) return { checks: answer.checks };
    return { failure: answer?.error?.message ?? `The server answered ${response.status}` };
  } catch {
    return { failure: "The server cannot be reached" };
  }
}
