import { createHash } from "node:crypto";

import { DatabaseError, Pool, type PoolClient, type QueryResultRow } from "pg";

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
 * Runs the statement, prepared on its connection at its first use there. A pooler in transaction mode may not know
 * prepared statements; after the first refusal this process sends every statement whole. Rejects with the driver's error.
 */
export async function runStatement<Row extends QueryResultRow, Name extends string>(
  client: Pool | PoolClient,
  { name, text, parameters }: Statement<Name>,
  values: Values<Name>,
): Promise<Row[]> {
  const listed = parameters.map((parameter) => values[parameter]);
  // Within a transaction a refusal would end it.
  if (!arePreparedRefused && client instanceof Pool) {
    try {
      return (await client.query<Row>({ name, text, values: listed })).rows;
    } catch (thrown) {
      if (!isPreparedRefused(thrown)) throw thrown;
      arePreparedRefused = true;
    }
  }
  return (await client.query<Row>({ text, values: listed })).rows;
}

let arePreparedRefused = false;

/**
 * invalid_sql_statement_name, duplicate_prepared_statement, and PgBouncer's protocol_violation for a statement that it
 * does not know. None of them has executed anything. https://www.pgbouncer.org/faq.html
 */
function isPreparedRefused(thrown: unknown): boolean {
  return thrown instanceof DatabaseError && /^(26000|42P05|08P01)$/.test(thrown.code ?? "");
}
