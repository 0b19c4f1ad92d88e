import { createHash } from "node:crypto";

import { describeCause } from "#platform/log.ts";
import type { HandlerFailure } from "#store/handling/leased-event.ts";

import { mapFrame } from "./map-frame.ts";
import { readRetryAfterMs } from "./retry-delay.ts";

/** What a handler threw: what is stored of it, and what it asks for. */
export interface ThrownFailure extends HandlerFailure {
  /** False: the error says that no further attempt can succeed. */
  retryable: boolean;
  /** When the error asks to be tried again; null: after the usual delay. */
  retryAfterMs: number | null;
}

const framesMax = 10;
const nameLengthMax = 200;
const messageLengthMax = 300;

/**
 * Describes what a handler threw. An error's message may quote a customer's, so it is included only if the error has
 * `expose: true`, as http-errors names it. Never throws, whatever was thrown.
 */
export function describeHandlerError(thrown: unknown, kind: string, nowMs: number): ThrownFailure {
  try {
    const error = Object(thrown) as Record<"stack" | "message" | "expose" | "retryable" | "retryAfter", unknown>;
    const { stack, message } = error;
    const facts = {
      name: thrown === null ? "null" : toText(describeCause(thrown)["cause"], nameLengthMax),
      code: findCode(thrown),
      message: error.expose === true ? toText(message, messageLengthMax) : null,
      frames: typeof stack === "string" && typeof message === "string" ? readFrames(stack, message) : [],
      retryable: error.retryable !== false,
      retryAfterMs: readRetryAfterMs(error, nowMs),
    };
    return { ...facts, fingerprint: fingerprintOf(facts, kind) };
  } catch {
    // One of its getters throws, or it is a Proxy that does.
    return failureOf("UnreadableError", kind);
  }
}

/** A failure without an error that can be read. */
export function failureOf(name: string, kind: string): ThrownFailure {
  const facts = { name, code: null, message: null, frames: [] };
  return { ...facts, fingerprint: fingerprintOf(facts, kind), retryable: true, retryAfterMs: null };
}

const causesMax = 5;
const codePattern = /^[A-Za-z0-9_.-]{1,60}$/;

function findCode(thrown: unknown): string | null {
  let error: unknown = thrown;
  for (let depth = 0; depth < causesMax && typeof error === "object" && error !== null; depth += 1) {
    const { code, cause } = error as { code?: unknown; cause?: unknown };
    if (typeof code === "string" && codePattern.test(code)) return code;
    error = cause;
  }
  return null;
}

/** Frames of the user's code. Those of a build without source maps have names that change with each build. */
const ownFrame = /^(?:(.*) \()?((?:src|app)\/[^:]*):\d+:\d+\)?$/;

function fingerprintOf({ name, code, frames }: Pick<HandlerFailure, "name" | "code" | "frames">, kind: string): string {
  const own = frames.flatMap((text) => {
    const [, called = "", file] = ownFrame.exec(text) ?? [];
    return file === undefined ? [] : [`${file} ${called}`];
  });
  return createHash("sha256")
    .update(["handler", name, code ?? "", kind, ...own].join("|"))
    .digest("hex");
}

/** Postgres refuses NUL. */
function toText(value: unknown, lengthMax: number): string {
  return String(value).replaceAll("\0", "").slice(0, lengthMax);
}

/**
 * The frames of a stack as V8 writes it. The message precedes them and is cut off, because its lines may look like frames.
 * No frames if the stack does not continue after the error's own message.
 */
function readFrames(stack: string, message: string): string[] {
  const at = stack.indexOf(message);
  const rest = message === "" ? stack.slice(stack.indexOf("\n")) : stack.slice(at + message.length);
  if (at === -1 || !/^\n +at /.test(rest)) return [];
  return rest.split("\n").flatMap(readFrame).slice(0, framesMax);
}

const frame = /^ +at (?:(?:async |new )*([\w$.<>[\] #]{1,100}) \()?([^\s()]{1,500}):(\d+):(\d+)\)?$/;
/** Everything up to the project's root, as far as a path shows it. */
const outside = /^.*?(?<=[/\]])(?=(?:src|app|node_modules|\.next)\/)/;

/** What calls the handler is the same for every error. */
const ours = /^src\/(ingestion|tracing)\//;

/** Node's own frames are left out, and ours. */
function readFrame(text: string): string[] {
  const [, name, builtFile, builtLine, builtColumn] = frame.exec(text) ?? [];
  if (builtFile === undefined || builtFile.startsWith("node:")) return [];
  const { file, line, column } = mapFrame({ file: builtFile, line: Number(builtLine), column: Number(builtColumn) });
  const shortFile = file.replace(outside, "");
  if (ours.test(shortFile)) return [];
  const place = `${shortFile}:${line}:${column}`;
  return [name === undefined ? place : `${name} (${place})`];
}
