import type { LeasedEvent } from "#store/handling/leased-event.ts";

/**
 * The events as conversations, each in the order of the batch, which is the order of the ids. Conversations with the
 * fewest attempts come first, so that those that fail slowly do not hold back the others. An event that belongs to no
 * conversation is one of its own.
 */
export function orderConversations(events: readonly LeasedEvent[]): LeasedEvent[][] {
  const byName = new Map<string | number, LeasedEvent[]>();
  for (const event of events.toSorted((a, b) => a.id - b.id)) {
    const name = event.conversation ?? event.id;
    const conversation = byName.get(name);
    if (conversation === undefined) byName.set(name, [event]);
    else conversation.push(event);
  }
  return [...byName.values()].toSorted((a, b) => mostAttempts(a) - mostAttempts(b));
}

function mostAttempts(events: readonly LeasedEvent[]): number {
  return Math.max(...events.map(({ attempt }) => attempt));
}
