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
  return `printf %s ${quote(value)} | vercel env add ${name} ${environment} ${flags.join(" ")}`;
}

/** A line that an `.env` file and a shell read alike. */
export function envLine(name: string, value: string): string {
  return `${name}=${/^[\w.,:/@%+-]+$/.test(value) ? value : quote(value)}`;
}

/** As one word of a POSIX shell, whatever characters it has. */
function quote(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

/** JSON is YAML, so nothing in a value needs more than JSON's escapes. */
function kubernetesSecret(values: readonly (readonly [string, string])[]): string {
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "relay" },
      type: "Opaque",
      stringData: Object.fromEntries(values),
    },
    null,
    2,
  );
}
