import type { DescribedReplay } from "#operations/describe-replay.ts";
import type { AskedFilter } from "#operations/replay-request.ts";

/** What the address of the page that plans a replay asks for. */
export interface NewReplay {
  filter: AskedFilter;
  mode: "unfinished" | "again";
  ratePerMinute: number;
  reason: string;
}

const path = "/dashboard/replays/new";

/** The address of the page that plans a replay of these events. */
export function newReplayHref({ filter, ...options }: Partial<Omit<NewReplay, "filter">> & { filter: object }): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, ...options })) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  return `${path}?${params}`;
}

/** The address that plans the same replay anew; a set that ended with its plan then ends with the new one. */
export function planAnewHref({ filter, endsWithPlan, mode, ratePerMinute, reason }: DescribedReplay): string {
  const { to, ...conditions } = filter;
  return newReplayHref({ filter: { ...conditions, ...(endsWithPlan ? {} : { to }) }, mode, ratePerMinute, reason });
}
