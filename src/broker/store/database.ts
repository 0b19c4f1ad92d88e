import { DatabaseError, Pool, type PoolClient, TypeOverrides, types } from "pg";

/** A pool whose bigints are numbers: times in milliseconds and counters stay far below 2^53. */
export function openDatabase(url: string, onIdleError: (error: Error) => void): Pool {
  const typeParsers = new TypeOverrides();
  typeParsers.setTypeParser(types.builtins.INT8, Number);
  // Without limits, a Postgres that is down or hangs keeps a publisher waiting for ever.
  const limits = { connectionTimeoutMillis: 5_000, statement_timeout: 20_000, query_timeout: 22_000 };
  // Planning a claim takes longer than executing it, so each statement is planned once; and never with a scan of a whole
  // table, which looks cheap as long as there are few messages and would stay in the plan when there are many.
  const options = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off";
  const pool = new Pool({ connectionString: url, max: 10, types: typeParsers, options, ...limits });
  // A connection that breaks while it is idle is replaced by the pool; without a listener, the event would end the process.
  pool.on("error", onIdleError);
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Runs `work` in one transaction; it is committed when the promise resolves, rolled back when it rejects. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (thrown) {
    await client.query("rollback").catch((error: Error) => {
      broken = error;
    });
    throw thrown;
  } finally {
    client.release(broken);
  }
}

/**
 * Whether Postgres refused the statement for what it was to store: data exceptions, integrity constraints, program limits
 * (classes 22, 23 and 54 of its error codes). Trying again would change nothing.
 */
export function isDataError(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && /^(22|23|54)/.test(thrown.code ?? "");
}
