// What Redis does in one step. A group's entry is claimed once it has been idle for `window`; how long that takes is set by
// its idle time: an entry that is leased for a minute has been idle for all of the window but a minute. So each entry has a
// lease or a delay of its own, which XAUTOCLAIM alone does not offer. https://redis.io/docs/latest/commands/xclaim/

/** The longest lease and the longest delay, in milliseconds: SQS has the same one. */
export const windowMs = 43_200_000;

const group = "relay";
/** Who holds an entry: a taker, or no one until its delay is over. */
const taker = "drain";
const shelf = "given-back";

/** Entries that were not taken before, and those whose time is over. Begins with the oldest message there is. */
export const createGroup = (stream: string) => ["XGROUP", "CREATE", stream, group, "0", "MKSTREAM"];

/**
 * Takes up to so many entries: first those that come again. Answers with the id, the number of takings and the body of each;
 * the body is nil if someone has deleted the entry, which is then forgotten.
 */
const takeScript = `
local stream, count, lease = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local taken, cursor = {}, '0-0'
repeat
  local page = redis.call('XAUTOCLAIM', stream, '${group}', '${taker}', ${windowMs}, cursor, 'COUNT', count - #taken)
  cursor = page[1]
  for _, entry in ipairs(page[2]) do if entry then taken[#taken + 1] = entry end end
until cursor == '0-0' or #taken == count
if #taken < count then
  local new = redis.call('XREADGROUP', 'GROUP', '${group}', '${taker}', 'COUNT', count - #taken, 'STREAMS', stream, '>')
  if new then for _, entry in ipairs(new[1][2]) do taken[#taken + 1] = entry end end
end
local answer = {}
for index, entry in ipairs(taken) do
  local id = entry[1]
  redis.call('XCLAIM', stream, '${group}', '${taker}', 0, id, 'IDLE', ${windowMs} - lease, 'JUSTID')
  local pending = redis.call('XPENDING', stream, '${group}', id, id, 1)
  answer[index] = {id, pending[1][4], entry[2] and entry[2][2] or false}
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

export const take = (stream: string, countMax: number, leaseMs: number) =>
  evaluate(takeScript, stream, countMax, bounded(leaseMs));
export const acknowledge = (stream: string, id: string, taking: number) =>
  evaluate(acknowledgeScript, stream, id, taking);
export const giveBack = (stream: string, id: string, taking: number, delayMs: number) =>
  evaluate(giveBackScript, stream, id, taking, bounded(delayMs));

function bounded(ms: number): number {
  return Math.min(windowMs, Math.max(0, Math.ceil(ms)));
}
