import type { ReplayPlan } from "#operations/describe-replay.ts";
import type { Operations } from "#operations/operations.ts";
import { previewReplay } from "#operations/plan-replay.ts";
import { RelayError } from "#platform/errors.ts";

import type { ListRequest } from "../lists/list-request.ts";
import type { NewReplay } from "./replay-address.ts";

/**
 * What a replay of an address's conditions would take at this moment; null for an address without any. Throws what is wrong with
 * the address, and `REQUEST_INVALID` if the set is too large to be counted.
 */
export async function readNewReplay(
  { filter }: ListRequest<NewReplay>,
  options: Pick<Operations, "db" | "clock" | "reclassify">,
): Promise<ReplayPlan | null> {
  if (filter instanceof RelayError) return null;
  return (await previewReplay(filter, options)).plan;
}
