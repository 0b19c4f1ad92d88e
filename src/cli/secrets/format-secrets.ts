import { CliFailure } from "#platform/failure.ts";

import { quoteForShell } from "../quote-for-shell.ts";

/** How `relay secrets` prints values. */
export const secretFormats = ["vercel", "env", "k8s", "json"] as const;

export type SecretFormat = (typeof secretFormats)[number];

export interface FormatOptions {
  /** Vercel's environment. */
  environment: string;
  /** Whether a value that is set there already is replaced. */
  force: boolean;
}

/** The values for a shell, an `.env` file, or `kubectl apply -f -`. JSON is printed by the command, with the rest of the plan. */
export function formatSecrets(
  format: Exclude<SecretFormat, "json">,
  values: readonly (readonly [name: string, value: string])[],
  options: FormatOptions,
): string {
  if (format === "k8s") return kubernetesSecret(values);
  const line = format === "env" ? envLine : vercelLine;
  return values.map(([name, value]) => line(name, value, options)).join("\n");
}

/**
 * A line for `sh`. The value goes through a pipe, and `printf` is part of the shell: no list of processes shows it.
 * https://vercel.com/docs/cli/env
 */
function vercelLine(name: string, value: string, { environment, force }: FormatOptions): string {
  // Without --yes it asks for which branch of a preview.
  const flags = ["--sensitive", ...(force ? ["--force"] : []), ...(environment === "preview" ? ["--yes"] : [])];
  return `printf %s ${quoteForShell(value)} | vercel env add ${name} ${environment} ${flags.join(" ")}`;
}

/** A line that an `.env` file and a shell read alike. Throws a `CliFailure` for a value of which there is no such line. */
export function envLine(name: string, value: string): string {
  if (/^[\w.,:/@%+-]+$/.test(value)) return `${name}=${value}`;
  if (!value.includes("'")) return `${name}='${value}'`;
  // In an .env file nothing escapes a quotation mark.
  if (!/["$`\\!\r\n]/.test(value)) return `${name}="${value}"`;
  throw new CliFailure(`No line has the value of ${name} for a shell and an .env file alike: use another --format.`);
}

/** JSON is YAML, so nothing in a value needs more than JSON's escapes. */
function kubernetesSecret(values: readonly (readonly [string, string])[]): string {
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Secret",
      // The name that docs/hosting/kubernetes.yaml asks for.
      metadata: { name: "relay" },
      type: "Opaque",
      stringData: Object.fromEntries(values),
    },
    null,
    2,
  );
}
