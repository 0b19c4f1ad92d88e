/** A reason to stop that a person can act on: printed as one sentence, without a stack trace. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
}

export function errorCodeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}
