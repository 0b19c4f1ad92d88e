/**
 * A route's answer to a POST, for a server that calls routes itself. Reads the request's headers and body; its address says
 * nothing. `waitUntil` keeps the process running until the promise settles. Never rejects.
 */
export type DirectAnswer = (request: Request, waitUntil: (promise: Promise<unknown>) => void) => Promise<Response>;

/** A build may give instrumentation.ts and each route its own copy of this module, but they share the global object. */
const directRoutes = Symbol.for("instagram-webhook-relay.direct-routes");
type Process = typeof globalThis & { [directRoutes]?: Map<string, DirectAnswer> };

/** Offers a route to a server that calls routes itself; where there is none, as on Vercel, this has no effect. */
export function offerDirectAnswer(path: string, answer: DirectAnswer): void {
  shared().set(path, answer);
}

/**
 * Finds what was offered for exactly a path, while `mayCall` says so. Undefined until the route's module is loaded, which the
 * first request causes.
 */
export function directAnswersWhile(mayCall: () => boolean): (path: string) => DirectAnswer | undefined {
  return (path) => (mayCall() ? shared().get(path) : undefined);
}

function shared(): Map<string, DirectAnswer> {
  return ((globalThis as Process)[directRoutes] ??= new Map());
}
