import * as v from "valibot";

/** What `/api/diagnostics` answers of one check. Its texts name variables, never a value. */
export const checkResult = v.object({
  name: v.string(),
  /** `skipped`: not tried, because an earlier step failed. */
  status: v.picklist(["ok", "warning", "failed", "skipped"]),
  detail: v.string(),
  durationMs: v.optional(v.number()),
  /** The likely reason, and what to do; only if the status is `warning` or `failed`. */
  cause: v.optional(v.string()),
  remedy: v.optional(v.string()),
});

export type CheckResult = v.InferOutput<typeof checkResult>;
