import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";

import { describeHandlerError } from "#ingestion/describe-handler-error.ts";
import { mapFrame } from "#ingestion/map-frame.ts";

const chunks = fileURLToPath(new URL("../../.next/server/chunks", import.meta.url));

const source = `export function sendComment(text: string): void {
  if (text === "") return;
  const answer = { status: 500 };
  throw new RangeError(\`\${text} \${answer.status}\`);
}
`;

test("an error in a built module is shown at its place in the source", async () => {
  const folder = mkdtempSync(join(tmpdir(), "relay-map-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "src/handlers"), { recursive: true });
  writeFileSync(join(folder, "src/handlers/send.ts"), source);
  const outfile = join(folder, "built/send.mjs");
  await build({
    entryPoints: [join(folder, "src/handlers/send.ts")],
    outfile,
    format: "esm",
    minifyWhitespace: true,
    sourcemap: true,
  });
  const { sendComment } = (await import(pathToFileURL(outfile).href)) as { sendComment: (text: string) => void };
  let thrown: unknown;
  try {
    sendComment("customer's words");
  } catch (error) {
    thrown = error;
  }
  expect(describeHandlerError(thrown, "message", 0).frames[0]).toBe("sendComment (src/handlers/send.ts:4:9)");
});

test("a place in a file without a map stays unchanged", () => {
  for (const file of ["/nowhere/a.js", "file:///nowhere/a.js", "<anonymous>", fileURLToPath(import.meta.url)]) {
    expect(mapFrame({ file, line: 3, column: 5 })).toEqual({ file, line: 3, column: 5 });
  }
});

test("the built server has its functions' names and a map of the code that calls handlers", () => {
  const place = readdirSync(chunks)
    .filter((name) => name.endsWith(".js") && existsSync(join(chunks, `${name}.map`)))
    .map((name) => join(chunks, name))
    .flatMap((file) => {
      const lines = readFileSync(file, "utf8").split("\n");
      const line = lines.findIndex((text) => text.includes("function callHandler("));
      return line === -1 ? [] : [{ file, line: line + 1, column: (lines[line]?.indexOf("callHandler") ?? 0) + 1 }];
    })[0];
  if (place === undefined) throw new Error("No chunk of the build has the function");
  const mapped = mapFrame(place);
  expect(mapped.file).toMatch(/src\/ingestion\/run-event-handler\.ts$/);
  const text = readFileSync(
    fileURLToPath(new URL("../../src/ingestion/run-event-handler.ts", import.meta.url)),
    "utf8",
  );
  expect(text.split("\n")[mapped.line - 1]).toContain("function callHandler(");
});
