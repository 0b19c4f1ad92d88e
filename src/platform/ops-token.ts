/** What the holder of a token may do: read the metrics; also read all else; also change things. Each role includes those before it. */
export const opsRoles = ["metrics", "read", "admin"] as const;

export type OpsRole = (typeof opsRoles)[number];

/** A token of an operator or of a program. */
export interface OpsToken {
  /** Recorded with what its holder changes. */
  name: string;
  role: OpsRole;
  token: string;
}

/** The name under which changes by the holder of OPS_TOKEN are recorded. */
export const opsTokenName = "ops";

/** No comma, which separates tokens, and nothing that a header cannot carry. */
const form = /^([a-z0-9-]{1,40}):([a-z]+):([\x21-\x2b\x2d-\x7e]{32,})$/;

/**
 * The tokens of `name:role:token,…`. Undefined if one has another form, an unknown role or fewer than 32 characters, or if
 * two have the same name or the same token; `ops` is the name of OPS_TOKEN.
 */
export function parseOpsTokens(value: string): readonly OpsToken[] | undefined {
  const tokens: OpsToken[] = [];
  for (const item of value.split(",")) {
    const [, name = "", roleText, token = ""] = form.exec(item.trim()) ?? [];
    const role = opsRoles.find((one) => one === roleText);
    const isTaken = name === opsTokenName || tokens.some((other) => other.name === name || other.token === token);
    if (role === undefined || isTaken) return undefined;
    tokens.push({ name, role, token });
  }
  return tokens;
}

/** Whether a holder of the role may do what needs the other role. */
export function reaches(role: OpsRole, needed: OpsRole): boolean {
  return opsRoles.indexOf(role) >= opsRoles.indexOf(needed);
}
