import { createHash } from "node:crypto";

import { DatabaseError, Pool, type PoolClient, type QueryResultRow } from "pg";

import { breaksConnection } from "./store-error.ts";

/** A statement with named parameters, as `:name` in its text. */
export interface Statement<Name extends string> {
  /** Made of the text, so that two releases behind one pooler never mean different statements by one name. */
  name: string;
  text: string;
  /** In the order of the text's numbers. */
  parameters: readonly Name[];
}

export type Values<Name extends string> = Readonly<Record<Name, unknown>>;

/** Replaces each `:name` by a number with its type. Only the parameters that the text has are sent. */
export function defineStatement<Name extends string>(
  text: string,
  types: Readonly<Record<Name, string>>,
): Statement<Name> {
  const used: Name[] = [];
  const numbered = text.replaceAll(/(?<!:):([a-z][A-Za-z]*)/g, (_, found: string) => {
    const name = found as Name;
    if (!(name in types)) throw new Error(`No parameter ${name}`);
    if (!used.includes(name)) used.push(name);
    return `$${used.indexOf(name) + 1}::${types[name]}`;
  });
  const hash = createHash("sha256").update(numbered).digest("hex").slice(0, 16);
  return { name: `relay_${hash}`, text: numbered, parameters: used };
}

/**
 * A call of a function of the schema `relay`, each of whose parameters `p_some_name` is given as `someName`; its result is the
 * column `result`.
 */
export function defineCall<Name extends string>(name: string, types: Readonly<Record<Name, string>>): Statement<Name> {
  const given = Object.keys(types).map((parameter) => `${toColumn(`p_${parameter}`)} => :${parameter}`);
  return defineStatement(`select relay.${name}(${given.join(", ")}) as result`, types);
}

function toColumn(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * A condition that is always true, from which the planner concludes that one row is left. Else it expects ten of an
 * array that it does not know, which makes the plan for any values seem dearer than one for these, so that it plans
 * each call anew, which takes longer than to run it; and while tables are small it reads them whole.
 */
export function oneRow(column: string): string {
  return `${column} = ${column} + 0`;
}

/**
 * How long the first connection may take to answer. One that is silent longer leads nowhere, as after a failover, and the
 * statement is sent once more, on another connection, with the pool's own limit.
 */
const firstAnswerMs = 4_000;

/**
 * Runs a statement that may be repeated: it is sent again if its connection breaks before the answer. On a pool it is
 * prepared at its first use on each connection. A pooler in transaction mode may not know prepared statements; after the
 * first refusal a pool sends every statement whole. A parameter without a value is null.
 * Rejects with the driver's error.
 */
export async function runStatement<Row extends QueryResultRow, Name extends string>(
  pool: Pool | PoolClient,
  { name, text, parameters }: Statement<Name>,
  values: Partial<Values<Name>>,
): Promise<Row[]> {
  const query = { text, values: parameters.map((parameter) => values[parameter] ?? null) };
  // Within a transaction nothing can be repeated.
  if (!(pool instanceof Pool)) return (await pool.query<Row>(query)).rows;
  for (let isFirst = true; ;) {
    const client = await pool.connect();
    let broken: Error | undefined;
    const isNamed = !refusing.has(pool);
    try {
      const limit = isFirst ? { query_timeout: firstAnswerMs } : {};
      const sent = { ...query, ...limit, ...(isNamed ? { name } : {}) };
      return (await client.query<Row>(sent)).rows;
    } catch (thrown) {
      if (isNamed && isPreparedRefused(thrown)) {
        refusing.add(pool);
      } else if (breaksConnection(thrown)) {
        broken = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (!isFirst) throw thrown;
        isFirst = false;
      } else {
        throw thrown;
      }
    } finally {
      client.release(broken);
    }
  }
}

/** Pools whose pooler has refused a prepared statement. */
const refusing = new WeakSet<Pool>();

/**
 * invalid_sql_statement_name, duplicate_prepared_statement, and PgBouncer's protocol_violation for a statement that it
 * does not know. None of them has executed anything. https://www.pgbouncer.org/faq.html
 */
function isPreparedRefused(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && /^(26000|42P05|08P01)$/.test(thrown.code ?? "");
}
