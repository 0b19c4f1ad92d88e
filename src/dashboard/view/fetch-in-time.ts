/** More than any route may take. */
const limitMsDefault = 60_000;
/** For what is asked again and again: so soon a page says that the server is silent. */
export const pollLimitMs = 15_000;

/**
 * `fetch` that rejects after a time. A browser waits for minutes for an answer that a change of its network, or the sleep of
 * the machine, has lost; until then a page would seem to be live, and a button busy.
 */
export function fetchInTime(path: string, init: RequestInit = {}, limitMs = limitMsDefault): Promise<Response> {
  const limit = AbortSignal.timeout(limitMs);
  const { signal } = init;
  return fetch(path, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
}
