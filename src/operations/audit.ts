import { toRelayError } from "#platform/errors.ts";
import { describeCause, type Log } from "#platform/log.ts";
import type { AuditFacts } from "#store/operators/audit.ts";

/** Where rows of the audit are kept. Both throw `STORE_UNAVAILABLE`. */
export interface AuditTrail {
  append(facts: AuditFacts): Promise<number>;
  settle(id: number, end: { result: string; target: string | null }): Promise<void>;
}

export interface AuditedOptions<T> {
  trail: AuditTrail;
  log: Log;
  /** False for what must work while Postgres is down, and changes nothing: it is then done without a row. */
  isRequired?: boolean;
  /** The id of what the change made; it becomes the row's target. */
  made?: ((result: T) => string | null) | undefined;
}

/**
 * Does `work` and leaves a row of it, also if it throws. The row is added before, as `started`, and settled after, so that no
 * change is without one: if the process dies in between, the row says that a change was begun. A transaction around both
 * could not promise that, because most changes are made at the queue. Throws what `work` throws, and `STORE_UNAVAILABLE` before
 * anything is done.
 */
export async function audited<T>(
  facts: AuditFacts,
  { trail, log, isRequired = true, made }: AuditedOptions<T>,
  work: () => Promise<T>,
): Promise<T> {
  const id = await begin();
  try {
    const result = await work();
    await settle("ok", made?.(result) ?? null);
    return result;
  } catch (thrown) {
    await settle(toRelayError(thrown).code, null);
    throw thrown;
  }

  async function begin(): Promise<number | null> {
    try {
      return await trail.append(facts);
    } catch (thrown) {
      if (isRequired) throw thrown;
      log.error("audit.failed", { action: facts.action, actor: facts.actor, ...describeCause(thrown) });
      return null;
    }
  }

  /** Never rejects: what is done is done, and the row stays `started`. */
  async function settle(result: string, target: string | null): Promise<void> {
    if (id === null) return;
    try {
      await trail.settle(id, { result, target });
    } catch (thrown) {
      log.error("audit.failed", { action: facts.action, actor: facts.actor, result, ...describeCause(thrown) });
    }
  }
}
