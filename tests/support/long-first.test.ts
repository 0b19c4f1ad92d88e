import { existsSync } from "node:fs";

import { expect, test } from "vitest";

import { longFiles } from "./long-first.ts";

test("each long file is there, so that none that was moved begins last", () => {
  expect(longFiles.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url)))).toEqual([]);
});
