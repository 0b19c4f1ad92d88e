import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

import type { DirectAnswer } from "#platform/direct-routes.ts";

/**
 * Answers a POST by a route's function instead of Next. A function that rejects is answered with 500, and the promise rejects
 * too, so that the process logs it.
 */
export async function answerDirectly(
  request: IncomingMessage,
  response: ServerResponse,
  answer: DirectAnswer,
  waitUntil: (promise: Promise<unknown>) => void,
): Promise<void> {
  try {
    const { status, headers, body } = await readAnswer(await answer(toFetchRequest(request), waitUntil));
    response.writeHead(status, { ...headers, "content-length": body.byteLength }).end(body);
  } catch (thrown) {
    response.writeHead(500, { "content-length": 0 }).end();
    throw thrown;
  }
}

function toFetchRequest(request: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  // The path of a direct route is known to be well-formed; the client's Host is not.
  const url = `http://localhost${request.url}`;
  const body = Readable.toWeb(request) as ReadableStream;
  const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body, duplex: "half" };
  return new Request(url, init);
}

async function readAnswer(answered: Response) {
  const headers = { "x-content-type-options": "nosniff", ...Object.fromEntries(answered.headers) };
  return { status: answered.status, headers, body: Buffer.from(await answered.arrayBuffer()) };
}
