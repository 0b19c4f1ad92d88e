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

/**
 * Takes up to so many entries: first those that come again. Answers with the id, the number of takings, the body and, where
 * there is one, the trace of each.
 * An entry that someone has deleted is forgotten. A group that is missing is made, from the oldest entry on; a stream is not.
 */
const takeScript = `
local stream, count, idle, answer = KEYS[1], tonumber(ARGV[1]), ${windowMs} - tonumber(ARGV[2]), {}
local function add(entry, takings)
  answer[#answer + 1] = {entry[1], takings, entry[2][2], entry[2][4]}
end
if redis.call('EXISTS', stream) == 0 then return answer end
local comeAgain = redis.pcall('XPENDING', stream, '${group}', 'IDLE', ${windowMs}, '-', '+', count)
if comeAgain.err then
  redis.call('XGROUP', 'CREATE', stream, '${group}', '0')
  comeAgain = {}
end
for _, due in ipairs(comeAgain) do
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

/** One taking of an entry. */
export interface Taking {
  id: string;
  taking: number;
}

/**
 * Whether a taking still holds its entry: the number of takings is what it was, and the entry was not given back. Someone may
 * have deleted the group.
 */
const isHeld = `
local function isHeld(id, taking)
  local held = redis.pcall('XPENDING', KEYS[1], '${group}', id, id, 1)
  held = not held.err and held[1]
  return held and held[2] == '${taker}' and held[4] == tonumber(taking)
end`;

const acknowledgeScript = `${isHeld}
for index = 1, #ARGV, 2 do
  if isHeld(ARGV[index], ARGV[index + 1]) then
    redis.call('XACK', KEYS[1], '${group}', ARGV[index])
    redis.call('XDEL', KEYS[1], ARGV[index])
  end
end
return 1`;

/** The last argument is the number of takings that the entry is left with. */
const giveBackScript = `${isHeld}
if isHeld(ARGV[1], ARGV[2]) then
  redis.call('XCLAIM', KEYS[1], '${group}', '${shelf}', 0, ARGV[1], 'IDLE', ${windowMs} - tonumber(ARGV[3]),
    'RETRYCOUNT', ARGV[4], 'JUSTID')
end
return 1`;

const evaluate = (script: string, stream: string, ...args: (string | number)[]) => ["EVAL", script, 1, stream, ...args];

/** A command for each method of the queue. */
export const take = (stream: string, countMax: number, leaseMs: number) =>
  evaluate(takeScript, stream, countMax, bounded(leaseMs));
export const acknowledge = (stream: string, takings: readonly Taking[]) =>
  evaluate(acknowledgeScript, stream, ...takings.flatMap(({ id, taking }) => [id, taking]));
export const giveBack = (stream: string, { id, taking }: Taking, delayMs: number, isUncounted: boolean) =>
  evaluate(giveBackScript, stream, id, taking, bounded(delayMs), isUncounted ? taking - 1 : taking);

function bounded(ms: number): number {
  return Math.min(windowMs, Math.max(0, Math.ceil(ms)));
}
