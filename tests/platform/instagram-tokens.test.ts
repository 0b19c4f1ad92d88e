import { expect, test } from "vitest";

import { readEnv } from "#platform/env.ts";
import { parseInstagramTokens } from "#platform/instagram-tokens.ts";

const [one, other] = ["IGAA".padEnd(40, "x"), "EAA".padEnd(40, "y")];

test("one token needs no account, several need one each", () => {
  expect(parseInstagramTokens(one)).toEqual([{ accountId: null, token: one }]);
  expect(parseInstagramTokens(` 1784=${one} , 1785=${other}`)).toEqual([
    { accountId: "1784", token: one },
    { accountId: "1785", token: other },
  ]);
  const unclear = ["", "short", `${one},${other}`, `1784=${one},${other}`, `1784=${one},1784=${other}`, `a=${one}`];
  for (const text of unclear) expect(parseInstagramTokens(text), text).toBeUndefined();
});

test("a token is sent to https, or to this machine", () => {
  const read = (url: string) => readEnv({ INSTAGRAM_GRAPH_URL: url }, ["INSTAGRAM_GRAPH_URL"]).INSTAGRAM_GRAPH_URL;
  expect(read("https://graph.facebook.com/v25.0/")).toBe("https://graph.facebook.com/v25.0");
  expect(read("http://127.0.0.1:8081/v25.0")).toBe("http://127.0.0.1:8081/v25.0");
  expect(read("")).toBeNull();
  for (const url of ["http://graph.example/v25.0", "http://127.0.0.1.example", "https://user@graph.example"]) {
    expect(() => read(url), url).toThrow("INSTAGRAM_GRAPH_URL is malformed");
  }
});
