// What Redis does in one step, because a lease is looked at and renewed by it. An entry comes again once it has been idle
// for the window, and its idle time is set: one that is leased for a minute has been idle for all of the window but a minute.
// So each entry has a lease or a delay of its own. Among 100,000 entries that wait, XPENDING finds the due ones within 25 ms;
// XAUTOCLAIM needs 270 ms. https://redis.io/docs/latest/commands/xclaim/

/** The longest lease and the longest delay, in milliseconds: SQS has the same one. */
export const windowMs = 43_200_000;

const group = "relay";
/** Who holds an entry: a taker, or no one until its delay is over. */
const taker = "drain";
const shelf = "given-back";

/** Makes the group that takes, from the oldest entry on, and the stream if there is none. */
export const createGroup = (stream: string) => ["XGROUP", "CREATE", stream, group, "0", "MKSTREAM"];

/**
 * Takes up to so many entries: first those that come again. Answers with the id, the number of takings and the body of each.
 * An entry that someone has deleted is forgotten.
 */
const takeScript = `
local stream, count, idle, answer = KEYS[1], tonumber(ARGV[1]), ${windowMs} - tonumber(ARGV[2]), {}
local function add(entry, takings)
  answer[#answer + 1] = {entry[1], takings, entry[2][2]}
end
for _, due in ipairs(redis.call('XPENDING', stream, '${group}', 'IDLE', ${windowMs}, '-', '+', count)) do
  local entry = redis.call('XCLAIM', stream, '${group}', '${taker}', ${windowMs}, due[1], 'IDLE', idle)[1]
  if entry then add(entry, due[4] + 1) else redis.call('XACK', stream, '${group}', due[1]) end
end
if #answer < count then
  local new = redis.call('XREADGROUP', 'GROUP', '${group}', '${taker}', 'COUNT', count - #answer, 'STREAMS', stream, '>')
  for _, entry in ipairs(new and new[1][2] or {}) do
    redis.call('XCLAIM', stream, '${group}', '${taker}', 0, entry[1], 'IDLE', idle, 'JUSTID')
    add(entry, 1)
  end
end
return answer`;

/** Whether this taking still holds the entry: its number of takings is what it was, and it was not given back. */
const ifHeld = `
local held = redis.call('XPENDING', KEYS[1], '${group}', ARGV[1], ARGV[1], 1)[1]
if not held or held[2] ~= '${taker}' or held[4] ~= tonumber(ARGV[2]) then return 0 end`;

const acknowledgeScript = `${ifHeld}
redis.call('XACK', KEYS[1], '${group}', ARGV[1])
return redis.call('XDEL', KEYS[1], ARGV[1])`;

const giveBackScript = `${ifHeld}
redis.call('XCLAIM', KEYS[1], '${group}', '${shelf}', 0, ARGV[1], 'IDLE', ${windowMs} - tonumber(ARGV[3]), 'JUSTID')
return 1`;

const evaluate = (script: string, stream: string, ...args: (string | number)[]) => ["EVAL", script, 1, stream, ...args];

/** A command for each method of the queue. */
export const take = (stream: string, countMax: number, leaseMs: number) =>
  evaluate(takeScript, stream, countMax, bounded(leaseMs));
export const acknowledge = (stream: string, id: string, taking: number) =>
  evaluate(acknowledgeScript, stream, id, taking);
export const giveBack = (stream: string, id: string, taking: number, delayMs: number) =>
  evaluate(giveBackScript, stream, id, taking, bounded(delayMs));

function bounded(ms: number): number {
  return Math.min(windowMs, Math.max(0, Math.ceil(ms)));
}
