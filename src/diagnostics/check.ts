/** What one look at the installation found. Texts name variables, never a value or a part of one. */
export interface Check {
  name: string;
  /** `skipped`: not tried, because something before it failed. */
  status: "ok" | "warning" | "failed" | "skipped";
  detail: string;
  durationMs?: number;
  /** Of what is not ok: the likely reason, and what to do about it. */
  cause?: string;
  remedy?: string;
}

/** What a check found, before it has a name and a duration. */
export type Finding = Pick<Check, "detail" | "cause" | "remedy"> & { status: "ok" | "warning" | "failed" };

export interface Advice {
  cause: string;
  remedy: string;
}

export interface Diagnosis {
  /** Nothing failed; there may be warnings. */
  ok: boolean;
  checks: Check[];
}

export function createDiagnosis(checks: Check[]): Diagnosis {
  return { ok: checks.every(({ status }) => status !== "failed"), checks };
}

/** With one digit after the point: more would be noise. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
