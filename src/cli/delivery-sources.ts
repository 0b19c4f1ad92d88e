/** What `relay trigger` sends: an invented payload of one kind, the bytes of a file, or those of every file in a folder. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { CliFailure, errorCodeOf } from "#platform/failure.ts";
import { parseJson } from "#platform/parse-json.ts";
import { buildPayload, type PayloadKind, payloadKinds } from "#conformance/payloads.ts";
import { setPath } from "./set-path.ts";

export interface DeliverySource {
  name: string;
  /** The body to sign and send; an invented payload has new ids each time. */
  body(nowMs: number): Uint8Array;
}

const encoder = new TextEncoder();

/**
 * `what` is a kind, a file or a folder; paths are relative to `folder`. The assignments are those of `--set`. Throws a
 * `CliFailure` if it is none of these, or cannot be read or changed.
 */
export function readDeliverySources(what: string, folder: string, assignments: readonly string[]): DeliverySource[] {
  if ((payloadKinds as readonly string[]).includes(what)) {
    const body = (nowMs: number) => encode(buildPayload(what as PayloadKind, nowMs), assignments);
    // Once before anything is sent, so that a wrong --set fails first.
    body(0);
    return [{ name: what, body }];
  }
  return listFiles(resolve(folder, what), what).map((file) => {
    const bytes = readFileSync(file);
    // Byte for byte unless --set changes it: the signature covers every space.
    const body = assignments.length === 0 ? bytes : encode(parseFile(file, bytes), assignments);
    return { name: basename(file), body: () => body };
  });
}

function listFiles(path: string, what: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith(".json"));
    if (names.length > 0) return names.toSorted().map((name) => join(path, name));
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT")
      throw new CliFailure(`${path} cannot be read (${errorCodeOf(error) ?? String(error)}).`);
    throw new CliFailure(`"${what}" is neither a file or folder nor one of the kinds: ${payloadKinds.join(", ")}.`);
  }
  throw new CliFailure(`${path} has no .json files.`);
}

function encode(payload: unknown, assignments: readonly string[]): Uint8Array {
  for (const assignment of assignments) setPath(payload, assignment);
  return encoder.encode(JSON.stringify(payload));
}

function parseFile(file: string, bytes: Buffer): unknown {
  const payload = parseJson(bytes.toString());
  if (payload === undefined) throw new CliFailure(`${file} is not JSON, so --set cannot change it.`);
  return payload;
}
