import type { Pool } from "pg";

import { inTransaction } from "./database.ts";

export interface Endpoint {
  name: string | null;
  url: string;
}

export interface UrlGroup {
  name: string;
  createdAtMs: number;
  updatedAtMs: number;
  endpoints: readonly Endpoint[];
}

/** Names under which several addresses are published to at once. */
export interface UrlGroupStore {
  read(name: string): Promise<UrlGroup | undefined>;
  list(): Promise<UrlGroup[]>;
  /** Adds endpoints, creating the group if need be; an address that is there already gets the new name. */
  addEndpoints(name: string, endpoints: readonly Endpoint[], nowMs: number): Promise<void>;
  /** Removes endpoints by name or address; with the last one goes the group. `false` if there is no such group. */
  removeEndpoints(name: string, endpoints: readonly Partial<Endpoint>[], nowMs: number): Promise<boolean>;
  /** `false` if there is no such group. */
  remove(name: string): Promise<boolean>;
}

const select = `
  select name, created_at_ms as "createdAtMs", updated_at_ms as "updatedAtMs", coalesce((
    select json_agg(json_build_object('name', name, 'url', url) order by position)
    from url_group_endpoints where group_name = url_groups.name
  ), '[]') as endpoints
  from url_groups`;

/** The statements about URL groups and their endpoints. */
export function createUrlGroupStore(pool: Pool): UrlGroupStore {
  return {
    async read(name) {
      const { rows } = await pool.query<UrlGroup>({
        name: "read-group",
        text: `${select} where name = $1`,
        values: [name],
      });
      return rows[0];
    },

    async list() {
      const { rows } = await pool.query<UrlGroup>(`${select} order by name`);
      return rows;
    },

    addEndpoints: (name, endpoints, nowMs) =>
      inTransaction(pool, async (connection) => {
        await connection.query(
          `insert into url_groups (name, created_at_ms, updated_at_ms) values ($1, $2, $2)
           on conflict (name) do update set updated_at_ms = $2`,
          [name, nowMs],
        );
        for (const endpoint of endpoints) {
          await connection.query(
            `insert into url_group_endpoints (group_name, name, url) values ($1, $2, $3)
             on conflict (group_name, md5(url)) do update set name = excluded.name`,
            [name, endpoint.name, endpoint.url],
          );
        }
      }),

    removeEndpoints: (name, endpoints, nowMs) =>
      inTransaction(pool, async (connection) => {
        const { rowCount } = await connection.query("update url_groups set updated_at_ms = $2 where name = $1", [
          name,
          nowMs,
        ]);
        await connection.query(
          `delete from url_group_endpoints where group_name = $1 and (url = any($2::text[]) or name = any($3::text[]))`,
          [
            name,
            endpoints.map(({ url }) => url ?? null),
            endpoints.map(({ url, name: named }) => (url ? null : named)),
          ],
        );
        await connection.query(
          `delete from url_groups where name = $1
             and not exists (select from url_group_endpoints where group_name = $1)`,
          [name],
        );
        return rowCount === 1;
      }),

    async remove(name) {
      const { rowCount } = await pool.query("delete from url_groups where name = $1", [name]);
      return rowCount === 1;
    },
  };
}
