/** The errors of the functions that run on the edge, with their statuses. Loaded there instead of request-errors.ts. */
export const requestErrors = {
  ENV_INVALID: 503,
  BODY_TOO_LARGE: 413,
  BODY_INCOMPLETE: 400,
  BODY_TIMEOUT: 408,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_INVALID: 400,
  SIGNATURE_INVALID: 401,
  HANDSHAKE_INVALID: 400,
  VERIFY_TOKEN_WRONG: 403,
  // Neither the queue nor the store has the delivery yet: Meta is to send it again.
  NOT_KEPT: 503,
  INTERNAL: 500,
} as const satisfies Record<string, number>;
