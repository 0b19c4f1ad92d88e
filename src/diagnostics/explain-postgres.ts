import { DatabaseError } from "pg";

import type { Advice } from "./check.ts";
import { explainNetwork } from "./explain-network.ts";
import { type AdviceRule, findAdvice } from "./find-advice.ts";

const variable = "DATABASE_URL";

/** Explains why Postgres could not be used, from the SQLSTATE of its error or the words of the driver or the system. */
export function explainPostgres(error: unknown): Advice {
  if (error instanceof DatabaseError) {
    const { cause, remedy } = findAdvice(rules, error.code ?? "", unexpected);
    return { cause, remedy };
  }
  const message = error instanceof Error ? error.message : "";
  if (/does not support SSL/.test(message)) {
    return {
      cause: "DATABASE_URL asks for TLS, and the server does not offer it.",
      remedy: "Turn on TLS at the server, or on a private network add sslmode=disable to DATABASE_URL.",
    };
  }
  if (/^SASL|password must be a string/i.test(message)) {
    return {
      cause: "The server asks for a password and DATABASE_URL has none, or the two do not agree on a way to verify it.",
      remedy: "Copy the connection string with its password.",
    };
  }
  return explainNetwork(error, { variable });
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
    cause: "The server does not accept this user from here: its pg_hba.conf forbids it, or it requires TLS.",
    remedy: "Add sslmode=verify-full to DATABASE_URL, or allow this machine at the server.",
  },
  {
    when: /^3D000$/,
    cause: "There is no database of that name on this server.",
    remedy: "Correct the name at the end of DATABASE_URL, or create the database.",
  },
  {
    when: /^53300$/,
    cause: "The server has no connection left.",
    remedy: "Set DATABASE_URL to the provider's pooler, or raise max_connections.",
  },
  {
    when: /^57P0/,
    cause: "The server is starting or shutting down.",
    remedy: "Try again in a minute; a paused database takes that long to start.",
  },
  {
    when: /^42501$/,
    cause: "This user lacks a permission.",
    remedy: "Use the owner of the tables in DATABASE_URL, or grant this user what it needs.",
  },
  {
    when: /^57014$/,
    cause: "The statement took too long.",
    remedy: "See in pg_stat_activity what the server is doing.",
  },
];

const unexpected: Advice = {
  cause: "Postgres refused the request.",
  remedy: "Look up its error code in the appendix of the Postgres documentation.",
};
