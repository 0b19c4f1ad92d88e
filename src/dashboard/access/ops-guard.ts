import { RelayError } from "#platform/errors.ts";
import { type OpsRole, type OpsToken, reaches } from "#platform/ops-token.ts";
import type { AuditWay } from "#store/operators/audit.ts";

import { clientNetwork } from "./client-network.ts";
import { isCrossSite } from "./cross-site.ts";
import type { Refusal } from "./guess-limit.ts";
import type { OpsAccess } from "./ops-access.ts";
import { findToken, readBearer, readSession, type SignedSeal } from "./ops-session.ts";
import { readSessionCookie } from "./session-cookie.ts";

/** The holder of a token, without the token. */
export type OpsViewer = Pick<OpsToken, "name" | "role">;

/** Who sends a request, and which way it came. */
export interface OpsCaller extends OpsViewer {
  via: AuditWay;
  /** Null for a request with a token. */
  sessionId: string | null;
}

/**
 * The holder of the bearer token or of the dashboard's session cookie that the request has. Throws `UNAUTHORIZED` for any
 * other request, and `RATE_LIMITED` after too many wrong tokens. Browsers send the cookie with requests of other sites too,
 * so a request that changes something must also come from our own pages.
 */
export async function findCaller(request: Request, access: OpsAccess): Promise<OpsCaller> {
  // Any other scheme belongs to a proxy in front of us; the browser sends our cookie beside it.
  const bearer = readBearer(request.headers.get("authorization") ?? "");
  if (bearer !== null) {
    const holder = await holderOf(bearer, request, access);
    const isCommand = request.headers.get("user-agent")?.startsWith(commandAgent) === true;
    if (holder !== undefined) {
      return { name: holder.name, role: holder.role, via: isCommand ? "command" : "api", sessionId: null };
    }
  } else if (isRead(request) || !isCrossSite(request, access.relayUrls)) {
    const session = await findSession(request, access);
    if (session !== null) return { ...viewerOf(session), via: "page", sessionId: session.id };
  }
  throw new RelayError("UNAUTHORIZED", "A valid OPS_TOKEN or a signed-in session is required");
}

/** Whose session it is. */
export function viewerOf({ signer: { name, role } }: SignedSeal): OpsViewer {
  return { name, role };
}

/** How the `User-Agent` of our own commands begins. */
export const commandAgent = "instagram-webhook-relay-cli";

/** What a request needs unless its route says otherwise: `admin` for what changes something, else `read`. */
export function roleFor(request: Request): OpsRole {
  return isRead(request) ? "read" : "admin";
}

/** Throws `FORBIDDEN` if the caller's role does not reach. */
export function requireRole({ name, role }: OpsViewer, needed: OpsRole): void {
  if (reaches(role, needed)) return;
  const because = `This needs the role ${needed}, and the token "${name}" has the role ${role}`;
  throw new RelayError("FORBIDDEN", `${because}: ask someone with that role, or sign in with another token`);
}

/** The token that the text is, or undefined. Throws `RATE_LIMITED` after too many wrong ones, and `ENV_INVALID`. */
export async function holderOf(given: string, request: Request, access: OpsAccess): Promise<OpsToken | undefined> {
  const client = clientNetwork(request.headers);
  const nowMs = access.clock.monotonicMs();
  const refuse = ({ scope, retryAfterMs, isFirst }: Refusal) => {
    if (isFirst) access.log.warn("ops.limited", { scope, client, retryAfterMs: Math.ceil(retryAfterMs) });
    return new RelayError("RATE_LIMITED", "Too many wrong tokens: wait before the next", { retryAfterMs });
  };

  const tokens = access.opsTokens();
  const ofClient = access.guesses.refusalOf(client, nowMs);
  if (ofClient !== null) throw refuse(ofClient);
  const holder = await findToken(given, tokens);
  if (holder !== undefined) return holder;
  const tooMany = await access.guesses.countWrong(client, nowMs);
  if (tooMany !== null) throw refuse(tooMany);
  return undefined;
}

/** The session of the request's cookie; null if it has none or one that has ended. Throws `STORE_UNAVAILABLE` while Postgres cannot tell. */
export async function findSession(request: Request, access: OpsAccess): Promise<SignedSeal | null> {
  const session = await sessionOf(readSessionCookie(request, access.relayUrls), access);
  return session === null || !(await access.sessions.isOpen(session.id)) ? null : session;
}

/** The session in a cookie's value, also one that was ended; null for any other value. Throws `ENV_INVALID`. */
export async function sessionOf(value: string | undefined, access: OpsAccess): Promise<SignedSeal | null> {
  return readSession(value, { tokens: signInTokens(access), nowMs: access.clock.nowMs() });
}

/** The tokens that may sign in: the dashboard shows what a token for the metrics may not read. Throws `ENV_INVALID`. */
export function signInTokens(access: OpsAccess): readonly OpsToken[] {
  return access.opsTokens().filter(({ role }) => reaches(role, "read"));
}

/** `Retry-After` in whole seconds for a `RATE_LIMITED` error. */
export function retryAfter(error: RelayError): string {
  return String(Math.ceil((error.retryAfterMs ?? 0) / 1000));
}

function isRead(request: Request): boolean {
  return request.method === "GET" || request.method === "HEAD";
}
