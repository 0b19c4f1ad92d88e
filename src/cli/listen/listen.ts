/** `relay listen`: events of a deployed relay, delivered again to the relay on this machine. */
import type { EventItem, EventPage } from "#dashboard/events/read-events.ts";
import { CliFailure } from "#platform/failure.ts";
import { parseUrl } from "#platform/parse-url.ts";

import type { CommandContext } from "../command-context.ts";
import { followRelay } from "../follow-relay.ts";
import { askPlace, type OpsPlace } from "../read-ops.ts";
import { showCell } from "../table.ts";
import { targetUrl } from "../target-url.ts";
import { deliverPatiently } from "./deliver-patiently.ts";
import { toDeliveries } from "./events-to-deliveries.ts";
import { requireOtherRelay } from "./require-other-relay.ts";

export interface ListenOptions {
  from: string;
  tokenEnv: string;
  to: string;
  since?: string;
  kind?: string;
  account?: string;
  json?: boolean;
}

/** Runs until Ctrl-C. Throws a `CliFailure` if the relay there is the one here, or either refuses for good. */
export async function listen(options: ListenOptions, context: CommandContext): Promise<void> {
  const { since, kind, account } = options;
  const there = openSource(options, context);
  const here = { ...context, baseUrl: context.localUrl };
  await requireOtherRelay(there, here);
  const url = targetUrl(options.to, here);
  const appSecret = context.secret("INSTAGRAM_APP_SECRET").split(",")[0]?.trim() ?? "";
  const read = (query: Record<string, string | undefined>) => askPlace<EventPage>(there, "GET", "events", { query });
  context.note(`Events of ${there.baseUrl} go to ${url}; Ctrl-C ends it.`);
  const tests = new Set<string>();
  let last: EventItem | undefined;
  for await (const events of followRelay({ read, filter: { kind, account }, since, context })) {
    for (const { events: carried, body, skipped } of toDeliveries(events, tests)) {
      if (context.signal.aborted) break;
      const result = body === null ? skipped : await deliverPatiently({ url, appSecret, body }, context);
      if (result === null) break;
      for (const event of carried) await report(event, result, options, context);
      last = carried.at(-1);
    }
  }
  if (last !== undefined) context.note(`--since ${last.ingestedAt} goes on from here.`);
}

function openSource({ from, tokenEnv }: ListenOptions, context: CommandContext): OpsPlace {
  if (!/^https?:\/\//.test(from) || parseUrl(from) === null) {
    throw new CliFailure(`--from must begin with https:// or http://, not "${from}".`);
  }
  const token = context.variable(tokenEnv);
  if (token === undefined) {
    throw new CliFailure(`${tokenEnv} is not set: set it to a token of ${from}, of role read.`);
  }
  return {
    baseUrl: from.replace(/\/+$/, ""),
    token,
    names: { url: "--from", token: tokenEnv },
    bypassSecret: context.variable("VERCEL_AUTOMATION_BYPASS_SECRET") ?? null,
    signal: context.signal,
  };
}

/** `result`: the id of the delivery that carries the event here, or why it is left out. */
async function report(
  event: EventItem,
  result: { deliveryId: string | null; skipped: string | null },
  { json }: ListenOptions,
  { write, paint, zone }: CommandContext,
): Promise<void> {
  const { id, key, kind, accountId, ingestedAt } = event;
  if (json) return write(JSON.stringify({ id, key, kind, accountId, ingestedAt, ...result }));
  const end =
    result.skipped === null ? `delivered as ${result.deliveryId}` : paint("yellow", `skipped: ${result.skipped}`);
  return write(
    [paint("dim", showCell(ingestedAt, zone)), id, showCell(kind), showCell(accountId), showCell(end)].join("  "),
  );
}
