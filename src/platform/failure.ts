/** A reason to stop that the operator can act on: printed as one sentence, without a stack trace. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
}

/** The `code` of a system's error such as `ENOENT`; undefined if it has none. */
export function errorCodeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}
