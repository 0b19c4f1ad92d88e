import type { IncomingMessage } from "node:http";

import { detachRequest } from "./detach-request.ts";

/** A public path whose requests are verified by a signature over the body. */
export interface SignedPath {
  /** The beginning of the path. */
  path: string;
  /** The header with the signature, in lower case. */
  header: string;
  /** Matches every well-formed value of that header. */
  pattern: RegExp;
  /** The longest body that the route accepts. */
  bytesMax: number;
}

/**
 * The request without its body if its head alone is enough to refuse it: the announced length is too large, or the
 * signature is missing or malformed. Otherwise undefined. Next reads the whole body for an edge route before it sends the
 * answer, even if the route has not read it.
 */
export function withholdBody(request: IncomingMessage, signed: SignedPath): IncomingMessage | undefined {
  if (!isAtSignedPath(request, signed)) return undefined;
  if (Number(request.headers["content-length"] ?? 0) > signed.bytesMax) return detachRequest(request, 0);
  const signature = request.headers[signed.header];
  if (typeof signature === "string" && signed.pattern.test(signature)) return undefined;
  const empty = detachRequest(request, 0);
  delete empty.headers["content-length"];
  delete empty.headers["transfer-encoding"];
  return empty;
}

/** Whether the request is for that path. */
export function isAtSignedPath(request: IncomingMessage, { path }: SignedPath): boolean {
  return request.url?.startsWith(path) === true;
}
