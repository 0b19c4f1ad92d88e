import { expect, test } from "vitest";

import { methods } from "#platform/methods.ts";

const answer = () => new Response("answered");
const all = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"] as const;

test.each([
  [{ POST: answer }, ["POST"], "POST"],
  [{ GET: answer }, ["GET", "HEAD"], "GET, HEAD"],
  [{ GET: answer, POST: answer }, ["GET", "HEAD", "POST"], "GET, HEAD, POST"],
  [{ DELETE: answer, POST: answer }, ["POST", "DELETE"], "DELETE, POST"],
])("every method but the route's own is refused with Allow", async (own, answered, allow) => {
  const routes = methods(own);
  const request = new Request("http://localhost/");
  for (const method of all) {
    const response = await routes[method](request, undefined);
    const expected = answered.includes(method) ? [200, null] : [405, allow];
    expect([method, response.status, response.headers.get("allow")]).toEqual([method, ...expected]);
  }
});
