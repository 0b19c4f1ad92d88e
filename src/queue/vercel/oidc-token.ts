import { ForwardError } from "#platform/forward-error.ts";

/** Where Vercel keeps what belongs to the request that runs. */
const requestContext = Symbol.for("@vercel/request-context");
type Host = typeof globalThis & {
  [requestContext]?: { get?: () => { headers?: Record<string, string | undefined> } | undefined };
};

/**
 * The deployment's OIDC token: of the request that runs, as Vercel's functions have it, else VERCEL_OIDC_TOKEN. Throws
 * `PUBLISH_UNAUTHORIZED` without one. The same as `getVercelOidcToken` of @vercel/oidc 4.0.9, whose package brings jose and
 * the exchange of tokens to the edge. https://vercel.com/docs/oidc/reference
 */
export function readOidcToken(fromEnv: string | null): string {
  const token = (globalThis as Host)[requestContext]?.get?.()?.headers?.["x-vercel-oidc-token"] ?? fromEnv;
  if (token === null) throw new ForwardError("PUBLISH_UNAUTHORIZED", "The deployment has no OIDC token");
  return token;
}
