import { errorResponse, RelayError } from "#platform/errors.ts";

/** For the methods that a route does not have: Next's own 405 leaves out `Allow`. */
export function allowOnly(...methods: string[]): () => Response {
  const error = new RelayError("METHOD_NOT_ALLOWED", `This route answers ${methods.join(", ")}`);
  return () => errorResponse(error, { allow: methods.join(", ") });
}
