/** What a page learns of its own address: from the request's line alone, and only a page of the dashboard is come back to. */
import { NextRequest } from "next/server.js";
import { expect, test } from "vitest";

import { dashboardPath } from "#dashboard/access/dashboard-path.ts";

import { proxy } from "../../proxy.ts";

test.each([
  ["/dashboard/events?kind=message", "/dashboard/events?kind=message"],
  ["/dashboard//evil.example", "/dashboard"],
  ["/dashboard/%2e%2e//evil.example", "/dashboard"],
  ["/dashboard?next=https://evil.example", "/dashboard?next=https://evil.example"],
])("%s with headers that name another site leads back to %s", (path, expected) => {
  const headers = {
    "x-page": "https://evil.example",
    "x-middleware-request-x-page": "https://evil.example",
    "x-forwarded-host": "evil.example",
  };
  const answer = proxy(new NextRequest(`http://127.0.0.1${path}`, { headers }));
  expect(dashboardPath(answer.headers.get("x-middleware-request-x-page"))).toBe(expected);
});
