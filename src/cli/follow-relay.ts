import type { EventItem, EventPage } from "#dashboard/events/read-events.ts";
import { mayPass } from "#platform/bounded-fetch.ts";
import { systemClock } from "#platform/clock.ts";
import { CliFailure } from "#platform/failure.ts";

import type { CommandContext } from "./command-context.ts";
import { followEvents } from "./follow-events.ts";
import { RelayRefusal } from "./read-ops.ts";

type Query = Record<string, string | undefined>;

/** `followEvents` until Ctrl-C; says on standard error when the relay cannot be read, and when it can again. */
export function followRelay(options: {
  read: (query: Query) => Promise<EventPage>;
  filter: Query;
  since: string | undefined;
  context: CommandContext;
}): AsyncGenerator<EventItem[]> {
  const { context, ...rest } = options;
  return followEvents({
    ...rest,
    clock: systemClock,
    signal: context.signal,
    mayPass: mayPassLater,
    onOutage: (thrown) => {
      if (thrown === null) return context.note("The relay can be read again; nothing is left out.");
      if (thrown instanceof Error) context.note(`${thrown.message} Trying again until it answers …`);
    },
  });
}

/** A refusal for good, such as a wrong token, is no outage; a relay that is away is one. */
export function mayPassLater(thrown: unknown): boolean {
  return thrown instanceof RelayRefusal ? mayPass(thrown.status) : thrown instanceof CliFailure;
}
