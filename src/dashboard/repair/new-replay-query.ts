import * as v from "valibot";

import { planRequest, ratePerMinuteUsual } from "#operations/replay-request.ts";
import { runtimes } from "#platform/delivery.ts";
import { RelayError } from "#platform/errors.ts";
import { instant } from "#platform/instant.ts";
import { replayStates } from "#store/replays/replay-filter.ts";

import { flag, oneOf, parseQuery, plainText } from "../lists/query-parameters.ts";
import type { NewReplay } from "./replay-address.ts";

const wholeNumber = v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/, "must be a whole number"), v.transform(Number));
const idList = v.pipe(
  v.string(),
  v.regex(/^[1-9]\d{0,14}(,[1-9]\d{0,14}){0,199}$/, "must be at most 200 ids of events, with commas between"),
  v.transform((ids) => ids.split(",").map(Number)),
);

/** The conditions have the names of `/api/ops/events`, so that a list's address becomes a plan's. */
const newReplayQuery = v.object({
  ids: v.optional(idList),
  group: v.optional(wholeNumber),
  kind: v.optional(plainText),
  account: v.optional(plainText),
  sender: v.optional(plainText),
  deliveryId: v.optional(plainText),
  // Of an erased event nothing is left that a handler could get.
  state: v.optional(oneOf(replayStates)),
  error: v.optional(plainText),
  runtime: v.optional(oneOf(runtimes)),
  test: v.optional(flag),
  standby: v.optional(flag),
  drifted: v.optional(flag),
  replay: v.optional(plainText),
  unknown: v.optional(
    v.pipe(
      oneOf(["true"]),
      v.transform(() => true as const),
    ),
  ),
  from: v.optional(instant),
  to: v.optional(instant),
  mode: v.optional(oneOf(["unfinished", "again"])),
  ratePerMinute: v.optional(wholeNumber, String(ratePerMinuteUsual)),
  reason: v.optional(plainText),
});

/** Of the list that led here: they choose a page of it, and no events. */
const ofPage = new Set(["limit", "cursor", "count", "data"]);

/**
 * Reads the address. Throws `REQUEST_INVALID` naming every parameter that is wrong or unknown, and without a condition: what is
 * overlooked would replay more than the operator meant.
 */
export function parseNewReplay(params: URLSearchParams): NewReplay {
  const conditions = new URLSearchParams([...params].filter(([name]) => !ofPage.has(name)));
  if (conditions.get("q")) {
    throw new RelayError("REQUEST_INVALID", "A search for a text cannot be frozen by a plan: choose other conditions");
  }
  conditions.delete("q");
  const { mode, ratePerMinute, reason = "", from, to, ...others } = parseQuery(newReplayQuery, conditions);
  const asked: NewReplay = {
    filter: { ...others, from: from?.toISOString(), to: to?.toISOString() },
    // Mode `unfinished` takes none that is handled.
    mode: mode ?? (others.state === "handled" ? "again" : "unfinished"),
    ratePerMinute,
    reason,
  };
  const { success, issues } = v.safeParse(planRequest, { ...asked, reason: "given later" });
  if (success) return asked;
  const problems = issues.map((issue) => `${v.getDotPath(issue) ?? "the address"} ${issue.message}`);
  throw new RelayError("REQUEST_INVALID", problems.join("; "));
}
