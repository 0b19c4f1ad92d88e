/**
 * Off Vercel `waitUntil` of @vercel/functions finds no host and silently does nothing, and a server told to stop then
 * drops what was handed to it. Here the host is Next itself: `after` makes its shutdown wait. On Vercel the host has
 * defined the symbol before and this does nothing.
 */
export async function register(): Promise<void> {
  const requestContext = Symbol.for("@vercel/request-context");
  const host = globalThis as { [requestContext]?: { get: () => { waitUntil: (promise: Promise<unknown>) => void } } };
  if (host[requestContext] !== undefined) return;
  const { after } = await import("next/server");
  host[requestContext] = { get: () => ({ waitUntil: (promise) => after(promise) }) };
}
