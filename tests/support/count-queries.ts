import type { Client, Pool } from "pg";

/** The statements that the pool's connections send from now on, as they go over the wire: for each its text. */
export function countQueries(pool: Pool): string[] {
  const sent: string[] = [];
  const watched = new WeakSet<object>();
  const watch = (client: Client) => {
    if (watched.has(client)) return;
    watched.add(client);
    const { connection } = client as unknown as { connection: Record<"query" | "sync", (...args: unknown[]) => void> };
    const { query, sync } = connection;
    connection.query = (text) => {
      sent.push(String(text));
      query.call(connection, text);
    };
    // Ends each prepared statement's messages.
    connection.sync = () => {
      sent.push("prepared");
      sync.call(connection);
    };
  };
  pool.on("acquire", (client) => watch(client as unknown as Client));
  return sent;
}
