import { expect, test } from "vitest";

import { explicitTls } from "#platform/explicit-tls.ts";

test.each([
  ["?sslmode=require", "?sslmode=verify-full"],
  ["?a=b&sslmode=prefer&c=d", "?a=b&sslmode=verify-full&c=d"],
  ["?sslmode=verify-ca&sslrootcert=x.pem", "?sslmode=verify-full&sslrootcert=x.pem"],
  ["?sslmode=disable", "?sslmode=disable"],
  ["?sslmode=no-verify", "?sslmode=no-verify"],
  ["?uselibpqcompat=true&sslmode=require", "?uselibpqcompat=true&sslmode=require"],
  ["", ""],
])("an address with %s is used with %s", (query, used) => {
  expect(explicitTls(`postgres://u:p%40%23@db.example/x${query}`)).toBe(`postgres://u:p%40%23@db.example/x${used}`);
});
