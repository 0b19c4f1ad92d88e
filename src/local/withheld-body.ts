import type { IncomingMessage } from "node:http";

import { detachRequest } from "./detached-request.ts";

/** Where anyone may post, and only a signature over the body tells what is genuine. */
export interface SignedPath {
  path: string;
  header: string;
  /** Of a header that can be right. */
  pattern: RegExp;
  bytesMax: number;
}

/**
 * The request without its body, if its head alone decides that it is refused; else undefined. Next reads all of an edge
 * route's body before it sends the answer, though the route has not asked for it.
 */
export function withholdBody(request: IncomingMessage, signed: SignedPath): IncomingMessage | undefined {
  if (!isSigned(request, signed)) return undefined;
  if (Number(request.headers["content-length"] ?? 0) > signed.bytesMax) return detachRequest(request, 0);
  const signature = request.headers[signed.header];
  if (typeof signature === "string" && signed.pattern.test(signature)) return undefined;
  const empty = detachRequest(request, 0);
  delete empty.headers["content-length"];
  delete empty.headers["transfer-encoding"];
  return empty;
}

export function isSigned(request: IncomingMessage, { path }: SignedPath): boolean {
  return request.url?.startsWith(path) === true;
}
