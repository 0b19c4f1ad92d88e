import { DatabaseError, Pool, type PoolClient, TypeOverrides, types } from "pg";

/** A pool whose bigints are numbers: times in milliseconds and counters stay far below 2^53. */
export function openDatabase(url: string, onIdleError: (error: Error) => void): Pool {
  const typeParsers = new TypeOverrides();
  typeParsers.setTypeParser(types.builtins.INT8, Number);
  // Without limits, a Postgres that is down or hangs keeps a publisher waiting for ever.
  const limits = { connectionTimeoutMillis: 5_000, statement_timeout: 20_000, query_timeout: 22_000 };
  // Planning a claim takes longer than executing it, so each statement is planned once; and never with a scan of a whole
  // table, which looks cheap as long as there are few messages and would stay in the plan when there are many.
  // Up to Postgres 17 a scan that cannot be avoided then looks expensive enough to be compiled, which takes longer.
  const options = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off";
  const pool = new Pool({
    connectionString: url,
    max: 10,
    types: typeParsers,
    options,
    keepAlive: true,
    maxLifetimeSeconds: 600,
    ...limits,
  });
  // A connection that breaks while it is idle is replaced by the pool; without a listener, the event would end the process.
  pool.on("error", onIdleError);
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** BEGIN and ROLLBACK cost the server nothing: one that takes longer went to a connection that is silent. */
const signalTimeoutMs = 3_000;

/**
 * Runs `work` in one transaction; it is committed when the promise resolves, rolled back when it rejects. A connection
 * goes back to the pool only if Postgres itself says that no transaction is open on it.
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isAtRest = false;
  try {
    await signal(client, "begin");
    const result = await work(client);
    const { command } = await client.query("commit");
    // After an error that `work` passed over, Postgres answers COMMIT with ROLLBACK and no error.
    if (command !== "COMMIT") throw new Error(`Postgres answered COMMIT with ${command}`);
    isAtRest = true;
    return result;
  } catch (thrown) {
    isAtRest = await signal(client, "rollback").then(
      () => client.getTransactionStatus() === "I",
      () => false,
    );
    throw thrown;
  } finally {
    client.release(!isAtRest);
  }
}

function signal(client: PoolClient, text: "begin" | "rollback") {
  const query = { text, query_timeout: signalTimeoutMs };
  return client.query(query);
}

/**
 * Whether Postgres refused the statement for what it was to store: data exceptions, integrity constraints, program limits
 * (classes 22, 23 and 54 of its error codes). Trying again would change nothing.
 */
export function isDataError(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && /^(22|23|54)/.test(thrown.code ?? "");
}
