import { describeCause } from "#platform/log.ts";

import { mapFrame } from "./map-frame.ts";

export interface HandlerFailure {
  /** The names along the error's causes. */
  cause: string;
  /** Where it was thrown, innermost first: `sendComment (src/handlers/send-comment.ts:12:9)`. */
  frames: readonly string[];
  /** Its message, if the error says that it may be shown. */
  causeMessage?: string;
}

const framesMax = 10;
const causeLengthMax = 200;
const messageLengthMax = 300;

/**
 * The facts about a handler's error that may be logged and stored. Its message may quote a customer's, so it is included
 * only if the error has `expose: true`, as http-errors names it. Never throws, whatever was thrown.
 */
export function describeHandlerError(thrown: unknown): HandlerFailure {
  try {
    const { stack, message, expose } = Object(thrown) as { stack?: unknown; message?: unknown; expose?: unknown };
    return {
      cause: toText(describeCause(thrown)["cause"], causeLengthMax),
      frames: typeof stack === "string" && typeof message === "string" ? readFrames(stack, message) : [],
      ...(expose === true ? { causeMessage: toText(message, messageLengthMax) } : {}),
    };
  } catch {
    // One of its getters throws, or it is a Proxy that does.
    return { cause: "UnreadableError", frames: [] };
  }
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

/** Node's own frames are left out. */
function readFrame(text: string): string[] {
  const [, name, builtFile, builtLine, builtColumn] = frame.exec(text) ?? [];
  if (builtFile === undefined || builtFile.startsWith("node:")) return [];
  const { file, line, column } = mapFrame({ file: builtFile, line: Number(builtLine), column: Number(builtColumn) });
  const place = `${file.replace(outside, "")}:${line}:${column}`;
  return [name === undefined ? place : `${name} (${place})`];
}
