import { errorResponse, RelayError } from "./errors.ts";

type Answer<Context> = (request: Request, context: Context) => Response | Promise<Response>;
type Method = "GET" | "HEAD" | "POST" | "OPTIONS" | "PUT" | "PATCH" | "DELETE";

/**
 * A route's exports: these methods, and `METHOD_NOT_ALLOWED` for the others. Next's own 405 lacks `Allow`. `GET` answers
 * `HEAD` too, as Next would have it.
 */
export function methods<Context>(
  answers: Partial<Record<"GET" | "POST" | "DELETE", Answer<Context>>>,
): Record<Method, Answer<Context>> {
  const own = answers.GET === undefined ? answers : { ...answers, HEAD: answers.GET };
  const allow = Object.keys(own).toSorted().join(", ");
  const error = new RelayError("METHOD_NOT_ALLOWED", `This route answers ${allow}`);
  const refuse = () => errorResponse(error, { allow });
  return {
    GET: refuse,
    HEAD: refuse,
    POST: refuse,
    OPTIONS: refuse,
    PUT: refuse,
    PATCH: refuse,
    DELETE: refuse,
    ...own,
  };
}
