/** The result of one check of the installation. Its texts name variables, never a value or a part of one. */
export interface Check {
  name: string;
  /** `skipped`: not tried, because an earlier step failed. */
  status: "ok" | "warning" | "failed" | "skipped";
  detail: string;
  durationMs?: number;
  /** The likely reason, and what to do; only if the status is `warning` or `failed`. */
  cause?: string;
  remedy?: string;
}

/** The result of a check without its name and duration. */
export type Finding = Pick<Check, "detail" | "cause" | "remedy"> & { status: "ok" | "warning" | "failed" };

/** Why something does not work, and what to do: whole sentences. */
export interface Advice {
  cause: string;
  remedy: string;
}

/** The results of several checks. */
export interface Diagnosis {
  /** True if no check failed; there may be warnings. */
  ok: boolean;
  checks: Check[];
}

/** The diagnosis of these checks. */
export function createDiagnosis(checks: Check[]): Diagnosis {
  return { ok: checks.every(({ status }) => status !== "failed"), checks };
}

/** Milliseconds with one digit after the point; more would be noise. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
