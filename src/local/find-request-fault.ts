import type { IncomingMessage } from "node:http";

import { RelayError } from "#platform/errors.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** For the header `Allow`. */
export const allowedMethods = methods.join(", ");

/**
 * The error of a request for which Next would answer 500 and log text that the client chose; undefined for every other
 * request.
 */
export function findRequestFault(request: IncomingMessage): RelayError | undefined {
  if (!methods.includes(request.method ?? "")) {
    return new RelayError("METHOD_NOT_ALLOWED", `Use one of ${allowedMethods}`);
  }
  // https://www.rfc-editor.org/rfc/rfc9112#section-3.2
  if ((request.headersDistinct["host"]?.length ?? 0) > 1) return invalid("Host must be sent once");
  const [path = ""] = (request.url ?? "").split(/[?#]/, 1);
  if (!path.startsWith("/")) return invalid("The request's target must be a path");
  const decoded = decodePath(path);
  if (decoded === undefined) return invalid("The path is not well percent-encoded");
  if (decoded.includes("\0")) return invalid("The path contains a NUL");
  // Next's page for internal errors, which it serves with status 500.
  if (/^\/_global-error(?![^/.])/.test(decoded)) return new RelayError("NOT_FOUND", "There is no such page");
  return undefined;
}

/**
 * The path and query of a request target. A server must accept the absolute form too, and Next would take it for a path.
 * https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function originForm(target: string): string {
  const rest = /^https?:\/\/[^/?#]*(.*)$/is.exec(target)?.[1];
  const path = rest === undefined || rest.startsWith("/") ? (rest ?? target) : `/${rest}`;
  return withoutDotSegments(path);
}

/** The path as Next will see it (RFC 3986, 5.2.4), so that a rule for a path has no detour. */
function withoutDotSegments(target: string): string {
  const [path = "", ...query] = target.split("?");
  if (!/\/(\.|%2e){1,2}(\/|$)/i.test(path) || path.startsWith("//")) return target;
  return [new URL(path, "http://localhost").pathname, ...query].join("?");
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function invalid(message: string): RelayError {
  return new RelayError("REQUEST_INVALID", message);
}
