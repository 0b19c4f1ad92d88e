import { auditDetails } from "#operations/audit-details.ts";
import { audited } from "#operations/audit.ts";
import { parseJson } from "#platform/parse-json.ts";
import { readBody } from "#platform/read-body.ts";
import type { AuditAction } from "#store/operators/audit.ts";

import { clientPrefix } from "./client-network.ts";
import type { OpsAccess } from "./ops-access.ts";
import type { OpsCaller } from "./ops-guard.ts";

/** The row that a route leaves in the audit. */
export interface OpsAudit<T, Params> {
  action: AuditAction;
  /** The id of what it is done to, from the address. */
  target?: (params: Params) => string;
  /** The id of what it made, from its answer. */
  made?: (value: T) => string | null;
  /** The body is not recorded: it holds measurements, for example. */
  omitsBody?: boolean;
  /** False for what must work while Postgres is down, and changes nothing. */
  isRequired?: boolean;
}

interface Audited<T, Params> {
  caller: OpsCaller;
  audit: OpsAudit<T, Params>;
  params: Params | undefined;
  /** Gets the request with its body, which has been read for the row. */
  work: (request: Request) => Promise<T>;
}

const limits = { bytesMax: 1_000_000, timeoutMs: 10_000 };

/** Does `work` and leaves its row, also if it throws, as it does where the role does not reach. Throws what `audited` throws. */
export async function answerAudited<T, Params>(
  request: Request,
  { audit: trail, clock, log }: OpsAccess,
  { caller, audit, params, work }: Audited<T, Params>,
): Promise<T> {
  const { action, target, made, omitsBody = false, isRequired = true } = audit;
  let body = new Uint8Array(0);
  let fault: unknown = null;
  try {
    body = await readBody(request, { ...limits, clock });
  } catch (thrown) {
    fault = thrown;
  }
  const asked = body.length === 0 ? askedByQuery(request) : parseJson(new TextDecoder().decode(body));
  const details = auditDetails(omitsBody ? null : asked);
  const facts = {
    actor: caller.name,
    via: caller.via,
    address: clientPrefix(request.headers),
    action,
    target: params === undefined ? null : (target?.(params) ?? null),
    ...details,
  };
  return audited(facts, { trail, log, isRequired, made }, async () => {
    if (fault !== null) throw fault;
    const { url, method, headers } = request;
    return work(new Request(url, { method, headers, ...(body.length === 0 ? {} : { body }) }));
  });
}

/** An export is narrowed down by parameters. What was searched for may be a person's words. */
function askedByQuery({ url }: Request): Record<string, string> {
  const { q, ...others } = Object.fromEntries(new URL(url).searchParams);
  return q === undefined ? others : { ...others, q: "(not recorded)" };
}
