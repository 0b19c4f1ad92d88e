interface RequestContext {
  waitUntil?: (work: Promise<unknown>) => void;
}

/** Vercel's, which instrumentation.ts defines on other hosts for Node, and that of Next's own edge runtime. */
const hosts = [Symbol.for("@vercel/request-context"), Symbol.for("@next/request-context")];

/**
 * Makes the host keep the invocation alive until `work` settles. Throws if the host cannot, where `waitUntil` of
 * @vercel/functions does nothing and reports nothing; that package is CommonJS besides, which is bundled as a whole.
 * https://vercel.com/docs/functions/functions-api-reference/vercel-functions-package#waituntil
 */
export function waitUntil(work: Promise<unknown>): void {
  for (const host of hosts) {
    const context = (globalThis as Record<symbol, { get?: () => RequestContext | undefined } | undefined>)[
      host
    ]?.get?.();
    if (context?.waitUntil !== undefined) return context.waitUntil(work);
  }
  throw new Error("This host keeps nothing alive after a response");
}
