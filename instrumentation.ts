interface RequestContext {
  get: () => { waitUntil?: (promise: Promise<unknown>) => void } | undefined;
}

const vercelContext = Symbol.for("@vercel/request-context");
const nextContext = Symbol.for("@next/request-context");

/**
 * Off Vercel `waitUntil` of @vercel/functions finds no host and silently does nothing, and a server told to stop then
 * drops what was handed to it. Here the host is Next itself, whose shutdown waits for what it was given. On Vercel the
 * host has defined the symbol before and this does nothing.
 */
export async function register(): Promise<void> {
  const host = globalThis as { [vercelContext]?: RequestContext; [nextContext]?: RequestContext };
  if (host[vercelContext] !== undefined) return;
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { after } = await import("next/server");
    host[vercelContext] = { get: () => ({ waitUntil: (promise) => after(promise) }) };
    return;
  }
  // What `after` itself takes on the edge, where importing it would cost 10 kB of gzip.
  host[vercelContext] = {
    get: () => {
      const context = host[nextContext]?.get();
      if (context?.waitUntil === undefined) throw new Error("This host keeps nothing alive after a response");
      return context;
    },
  };
}
