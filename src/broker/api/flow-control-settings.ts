import { ApiError } from "./api-error.ts";
import { parseDurationMs } from "../duration.ts";
import type { FlowControlSettings } from "../message.ts";
import { assertSendable, type PublishHeaders, readHeader } from "./publish-headers.ts";

/** An index entry of Postgres' holds no more than a third of a page. */
const keyCharactersMax = 256;
const periodSecondsMax = 7 * 86_400;
/** A Postgres integer. */
const limitMax = 2_147_483_647;

/** Reads `Upstash-Flow-Control-Key` and `-Value` (`parallelism=3, rate=5, period=1m`); `null` if there is no key. */
export function readFlowControl(headers: PublishHeaders): FlowControlSettings | null {
  const key = readHeader(headers, "upstash-flow-control-key");
  const value = readHeader(headers, "upstash-flow-control-value");
  if (key === undefined || key === "") {
    if (value === undefined) return null;
    throw new ApiError(400, "invalid flow control: Upstash-Flow-Control-Value without Upstash-Flow-Control-Key");
  }
  assertSendable("upstash-flow-control-key", [key]);
  if (key.length > keyCharactersMax) throw new ApiError(400, "invalid Upstash-Flow-Control-Key: it is too long");
  const settings: FlowControlSettings = { key, parallelism: null, rate: null, periodSeconds: 1 };
  for (const part of (value ?? "").split(",")) {
    if (part.trim() !== "") readPart(part, settings);
  }
  if (settings.parallelism === null && settings.rate === null) {
    throw new ApiError(400, "invalid Upstash-Flow-Control-Value: it gives neither parallelism nor rate");
  }
  return settings;
}

function readPart(part: string, settings: FlowControlSettings): void {
  const [name = "", text = "", ...more] = part.split("=").map((piece) => piece.trim());
  if (more.length > 0) throw invalid(part);
  switch (name.toLowerCase()) {
    case "parallelism":
      settings.parallelism = parseFlowLimit(text, "parallelism");
      break;
    case "rate":
      settings.rate = parseFlowLimit(text, "rate");
      break;
    case "period":
      settings.periodSeconds = parsePeriodSeconds(text);
      break;
    default:
      throw invalid(part);
  }
}

/** At least 1, at most what Postgres holds; 400 for anything else. */
export function parseFlowLimit(text: string, name: string): number {
  const limit = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limitMax) throw new ApiError(400, `invalid flow control ${name}: not a number above 0`);
  return limit;
}

/** A duration of whole seconds, at most a week; a bare number is in seconds. */
export function parsePeriodSeconds(text: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Math.round((parseDurationMs(text) ?? 0) / 1000);
  if (seconds < 1 || seconds > periodSecondsMax) {
    throw new ApiError(400, "invalid flow control period: not between a second and a week");
  }
  return seconds;
}

function invalid(part: string): ApiError {
  return new ApiError(400, `invalid Upstash-Flow-Control-Value: ${JSON.stringify(part.trim())}`);
}
