import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { type Command, InvalidArgumentError } from "commander";

import { explainSignature } from "#diagnostics/explain-signature.ts";

import type { CommandContext } from "../command-context.ts";
import { CliFailure, errorCodeOf } from "#platform/failure.ts";
import { alignRows } from "../terminal.ts";

interface Options {
  signature?: string;
  secret?: string;
  length?: number;
  json?: boolean;
}

/** Adds `relay explain`, which fails unless the signature matches. */
export function addExplain(program: Command, context: CommandContext): void {
  program
    .command("explain")
    .argument("<file>", "the body of a delivery, byte for byte as it was received; - for standard input")
    .description("explain why the signature of a delivery does not match")
    .option("--signature <header>", "the value of its X-Hub-Signature-256")
    .option("--secret <secrets>", "app secrets, separated by commas (default: INSTAGRAM_APP_SECRET)")
    .option("--length <bytes>", "the value of its Content-Length", wholeNumber)
    .option("--json", "print JSON")
    .action(async (file: string, { signature, secret, length, json }: Options) => {
      const header = signature?.replace(/^\s*x-hub-signature-256\s*:/i, "").trim() ?? null;
      const explanation = await explainSignature(readBytes(file, context.folder), header, {
        secrets: (secret ?? context.secret("INSTAGRAM_APP_SECRET")).split(","),
        announcedBytes: length ?? null,
      });
      const { finding, sentence, remedy } = explanation;
      if (json) {
        context.print(JSON.stringify(explanation, null, 2));
      } else {
        const rows: [string, string][] = [
          ["Finding", finding],
          ["Explanation", sentence],
        ];
        context.print(alignRows(remedy === null ? rows : [...rows, ["Remedy", remedy]], context.paint));
      }
      if (finding !== "match") throw new CliFailure("The signature does not match this body.");
    });
}

function readBytes(file: string, folder: string): Uint8Array {
  try {
    return readFileSync(file === "-" ? 0 : resolve(folder, file));
  } catch (error) {
    throw new CliFailure(`${file} cannot be read (${errorCodeOf(error) ?? String(error)}).`);
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
