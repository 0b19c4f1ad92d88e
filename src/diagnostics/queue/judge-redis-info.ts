import type { Check } from "../check.ts";

/** Of `maxmemory`; the rest is for a backlog. */
const usedShareMax = 0.8;

/** What Redis says of itself: `INFO`'s text, in which each line is a name and a value. https://redis.io/docs/latest/commands/info/ */
export function judgeRedisInfo(info: string): Check[] {
  const values = new Map(info.split(/\r?\n/).map((line) => line.split(":", 2) as [string, string | undefined]));
  return [judgeEviction(values), judgeMemory(values), judgePersistence(values)];
}

type Values = ReadonlyMap<string, string | undefined>;

function judgeEviction(values: Values): Check {
  const name = "Eviction";
  const policy = values.get("maxmemory_policy");
  if (policy === undefined) return { name, status: "skipped", detail: "the server does not say; it must be off" };
  if (policy === "noeviction") return { name, status: "ok", detail: "off" };
  return {
    name,
    status: "failed",
    detail: policy,
    cause: "When the memory is full, Redis deletes keys, and the stream with all its batches may be one of them.",
    remedy: "Set maxmemory-policy to noeviction: a full memory then refuses batches, and the fallback keeps them.",
  };
}

function judgeMemory(values: Values): Check {
  const name = "Memory";
  const [used, max] = [Number(values.get("used_memory")), Number(values.get("maxmemory"))];
  if (!(used > 0)) return { name, status: "skipped", detail: "the server does not say" };
  if (!(max > 0)) return { name, status: "ok", detail: `${megabytes(used)} used` };
  const detail = `${megabytes(used)} of ${megabytes(max)} used`;
  if (used / max < usedShareMax) return { name, status: "ok", detail };
  const cause = "Little is left for batches that wait, for example while the database is down.";
  return { name, status: "warning", detail, cause, remedy: "Give it more memory, or a database of its own." };
}

function judgePersistence(values: Values): Check {
  const name = "Persistence";
  const aof = values.get("aof_enabled");
  if (aof === undefined) return { name, status: "skipped", detail: "the server does not say" };
  if (aof === "1") return { name, status: "ok", detail: "append-only file" };
  return {
    name,
    status: "warning",
    detail: "no append-only file",
    cause: "A Redis that restarts loses the batches that it has accepted since its last snapshot, and all without one.",
    remedy: "Set appendonly to yes, and appendfsync to always if not even a second may be lost.",
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
