import { DatabaseError } from "pg";

import type { Advice } from "./check.ts";
import { explainNetwork } from "./explain-network.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";

const variable = "DATABASE_URL";

/** Why Postgres could not be used, from its error's code (SQLSTATE) or the driver's or the system's words. */
export function explainPostgres(error: unknown): Advice {
  if (error instanceof DatabaseError) {
    const { cause, remedy } = findAdvice(rules, error.code ?? "", unexpected);
    return { cause, remedy };
  }
  const message = error instanceof Error ? error.message : "";
  if (/does not support SSL/.test(message)) {
    return {
      cause: "The server does not offer TLS, which DATABASE_URL asks for.",
      remedy: "Turn TLS on at the server; on a private network sslmode=disable in DATABASE_URL does without.",
    };
  }
  if (/^SASL|password must be a string/i.test(message)) {
    return {
      cause: "The server asks for a password and DATABASE_URL has none, or they do not agree on how to check it.",
      remedy: "Copy the connection string with its password.",
    };
  }
  return explainNetwork(error, { variable });
}

/** Whether the schema, or the table, that was asked for is not there. */
export function isMissingTable(error: unknown): boolean {
  return error instanceof DatabaseError && /^(42P01|3F000)$/.test(error.code ?? "");
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const rules: readonly AdviceRule[] = [
  {
    when: /^28P01$/,
    cause: "The password is wrong, or the user does not exist.",
    remedy: "Copy the connection string again; characters such as @ # / in a password must be percent-encoded.",
  },
  {
    when: /^28/,
    cause: "The server does not admit this user from here: its pg_hba.conf, or TLS is required.",
    remedy: "Add sslmode=verify-full to DATABASE_URL, or admit this machine at the server.",
  },
  {
    when: /^3D000$/,
    cause: "There is no database of that name on this server.",
    remedy: "Correct the name at the end of DATABASE_URL, or create the database.",
  },
  {
    when: /^53300$/,
    cause: "The server has no connection left.",
    remedy: "Use the provider's pooler in DATABASE_URL, or raise max_connections.",
  },
  {
    when: /^57P0/,
    cause: "The server is starting or shutting down.",
    remedy: "Try again in a minute; a database that was paused takes that long to wake.",
  },
  {
    when: /^42501$/,
    cause: "This user lacks a permission.",
    remedy: "Let DATABASE_URL name the owner of the tables, or grant it what it needs.",
  },
  {
    when: /^57014$/,
    cause: "The statement took too long.",
    remedy: "See what the server is busy with (pg_stat_activity).",
  },
];

const unexpected: Advice = {
  cause: "Postgres refused.",
  remedy: "Look up its error code in the appendix of the Postgres documentation.",
};
