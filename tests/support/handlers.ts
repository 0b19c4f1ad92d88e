import type { Handler, Handlers } from "#handlers/handler.ts";
import { eventKinds } from "#instagram/events.ts";

/** One function for every kind; those of src/handlers are the user's, and tests must not depend on them. */
export function createHandlers(handler: Handler = () => {}, others: Partial<Handlers> = {}): Handlers {
  return { ...(Object.fromEntries(eventKinds.map((kind) => [kind, handler])) as unknown as Handlers), ...others };
}
