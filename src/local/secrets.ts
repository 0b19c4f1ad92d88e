/** The secrets of a start on one machine: random, generated once, kept in the data folder. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CliFailure } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";

const secret = () => randomBytes(32).toString("base64url");
/** In the form of Upstash's own keys. */
const signingKey = () => `sig_${randomBytes(24).toString("base64url")}`;

const generators = {
  INSTAGRAM_APP_SECRET: () => randomBytes(16).toString("hex"),
  INSTAGRAM_VERIFY_TOKEN: secret,
  QSTASH_TOKEN: secret,
  QSTASH_CURRENT_SIGNING_KEY: signingKey,
  QSTASH_NEXT_SIGNING_KEY: signingKey,
  RELAY_SECRET: secret,
  OPS_TOKEN: secret,
  CRON_SECRET: secret,
  /** Of the superuser; the server and the broker have roles of their own. */
  POSTGRES_PASSWORD: secret,
  RELAY_DATABASE_PASSWORD: secret,
  BROKER_DATABASE_PASSWORD: secret,
};

/** The variables and roles that a start generates a secret for. */
export type SecretName = keyof typeof generators;
export type Secrets = Record<SecretName, string>;

function secretsFile(dataDir: string): string {
  return join(dataDir, "secrets.json");
}

/** New ones, for all names. */
export function generateSecrets(): Secrets {
  return Object.fromEntries(Object.entries(generators).map(([name, generate]) => [name, generate()])) as Secrets;
}

/** Reads `secrets.json` and generates what is missing in it. The caller holds the lock of the data folder. Throws as `readSecrets`. */
export function readOrCreateSecrets(dataDir: string): Secrets {
  const file = secretsFile(dataDir);
  const known = readSecrets(dataDir) ?? {};
  const secrets = { ...generateSecrets(), ...known };
  if (Object.keys(secrets).some((name) => !(name in known))) {
    // Written beside it and renamed: a start that is killed here must not leave half a file.
    writeFileSync(`${file}.unfinished`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.unfinished`, file);
  } else if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) {
    chmodSync(file, 0o600);
  }
  return secrets;
}

/** `null` if no start has used this folder. Throws a `CliFailure` if the file is damaged. */
export function readSecrets(dataDir: string): Partial<Secrets> | null {
  const file = secretsFile(dataDir);
  if (!existsSync(file)) return null;
  const content = parseJson(readFileSync(file, "utf8"));
  const isIntact =
    typeof content === "object" &&
    content !== null &&
    !Array.isArray(content) &&
    Object.values(content).every((value) => typeof value === "string" && value !== "");
  if (!isIntact) {
    throw new CliFailure(
      `${file} is damaged: restore it, or delete ${dataDir} to start afresh, which deletes its data.`,
    );
  }
  return content;
}
