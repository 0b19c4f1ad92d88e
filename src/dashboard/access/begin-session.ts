import { audited } from "#operations/audit.ts";
import { RelayError } from "#platform/errors.ts";
import { type OpsToken, reaches } from "#platform/ops-token.ts";

import { clientPrefix } from "./client-network.ts";
import type { OpsAccess } from "./ops-access.ts";
import { createSession, type Seal, sessionLifetimeMs } from "./ops-session.ts";

/** Who signs in: with the token itself, or with the ticket of a link. */
export interface SigningIn {
  holder: OpsToken;
  ticket: Seal | null;
}

/**
 * Begins a session, with its rows in the sessions and in the audit; resolves with the cookie's value. Throws `FORBIDDEN` for a
 * role that opens no page, `UNAUTHORIZED` for a used ticket, and `STORE_UNAVAILABLE`.
 */
export async function beginSession(
  request: Request,
  { holder, ticket }: SigningIn,
  { audit: trail, sessions, tickets, newId, clock, log }: OpsAccess,
): Promise<string> {
  const { name, role, token } = holder;
  const address = clientPrefix(request.headers);
  const by = ticket === null ? "token" : "ticket";
  const facts = {
    actor: name,
    via: "page",
    address,
    action: "sign-in",
    target: null,
    filter: { by },
    reason: null,
  } as const;
  return audited(facts, { trail, log }, async () => {
    if (!reaches(role, "read")) {
      const sentence = `A token of the role ${role} does not open the dashboard.`;
      throw new RelayError("FORBIDDEN", sentence, { reason: "role" });
    }
    const nowMs = clock.nowMs();
    if (ticket !== null && !(await tickets.spend(ticket, nowMs))) {
      const sentence =
        "This sign-in link has been used. Each works once: enter the token, or make a new link with npm run relay -- sign-in.";
      throw new RelayError("UNAUTHORIZED", sentence, { reason: "used" });
    }
    const id = newId();
    await sessions.save({ id, name, address, createdAtMs: nowMs, expiresAtMs: nowMs + sessionLifetimeMs });
    return createSession({ opsToken: token, nowMs, id });
  });
}
