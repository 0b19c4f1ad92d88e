import { ApiError } from "./api-error.ts";

/** Queues, URL groups and schedules are called by these characters alone, as QStash's API reference has it. */
export function assertName(name: string, what: string): string {
  if (/^[\w.-]{1,256}$/.test(name)) return name;
  throw new ApiError(
    400,
    `invalid ${what}: only alphanumeric characters, hyphens, periods and underscores are allowed`,
  );
}

/** A segment of the request target, decoded; 400 if its percent-encoding is none. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ApiError(400, "the path is not percent-encoded UTF-8");
  }
}
