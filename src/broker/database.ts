import { Pool, type PoolClient, TypeOverrides, types } from "pg";

/** A pool whose bigints are numbers: times in milliseconds and counters stay far below 2^53. */
export function openDatabase(url: string, onIdleError: (error: Error) => void): Pool {
  const typeParsers = new TypeOverrides();
  typeParsers.setTypeParser(types.builtins.INT8, Number);
  // Without a limit, a Postgres that is down keeps a publisher waiting for ever.
  const pool = new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5000, types: typeParsers });
  // A connection that breaks while idle is replaced by the pool; unheard, the event would end the process.
  pool.on("error", onIdleError);
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
