/** A function of how often a message has been retried, in milliseconds. */
export type RetryDelay = (retried: number) => number;

const functions: Readonly<Record<string, { arity: number; apply: (...values: number[]) => number }>> = {
  pow: { arity: 2, apply: Math.pow },
  min: { arity: 2, apply: Math.min },
  max: { arity: 2, apply: Math.max },
  exp: { arity: 1, apply: Math.exp },
  sqrt: { arity: 1, apply: Math.sqrt },
  abs: { arity: 1, apply: Math.abs },
  floor: { arity: 1, apply: Math.floor },
  ceil: { arity: 1, apply: Math.ceil },
  round: { arity: 1, apply: Math.round },
};

const charactersMax = 256;
const token = /\s*(?:(\d+(?:\.\d+)?|\.\d+)|([a-z]+)|(\*\*|[-+*/%^(),]))/y;

/**
 * Parses the expression of `Upstash-Retry-Delay`: numbers, `retried`, `+ - * / % ^ **`, parentheses and the functions of
 * QStash's page on retries. `undefined` if it is none, or longer than 256 characters, which also bounds the recursion.
 */
export function parseRetryDelay(text: string): RetryDelay | undefined {
  const tokens = text.length <= charactersMax ? tokenize(text) : undefined;
  if (!tokens) return undefined;
  try {
    const reader = { tokens, at: 0 };
    const expression = readSum(reader);
    return reader.at === tokens.length ? expression : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

interface Reader {
  tokens: readonly string[];
  at: number;
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  const trimmed = text.trim();
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length) {
    const match = token.exec(trimmed);
    if (!match) return undefined;
    tokens.push(match[1] ?? match[2] ?? match[3] ?? "");
  }
  return tokens;
}

type Operators = ReadonlyMap<string, (a: number, b: number) => number>;

const sumOperators: Operators = new Map([
  ["+", (a, b) => a + b],
  ["-", (a, b) => a - b],
]);
const productOperators: Operators = new Map([
  ["*", (a, b) => a * b],
  ["/", (a, b) => a / b],
  ["%", (a, b) => a % b],
]);

function readSum(reader: Reader): RetryDelay {
  return readLeftToRight(reader, readProduct, sumOperators);
}

function readProduct(reader: Reader): RetryDelay {
  return readLeftToRight(reader, readSigned, productOperators);
}

function readLeftToRight(reader: Reader, readPart: (reader: Reader) => RetryDelay, operators: Operators): RetryDelay {
  let left = readPart(reader);
  for (;;) {
    const apply = operators.get(reader.tokens[reader.at] ?? "");
    if (!apply) return left;
    reader.at += 1;
    const [a, b] = [left, readPart(reader)];
    left = (retried) => apply(a(retried), b(retried));
  }
}

function readSigned(reader: Reader): RetryDelay {
  if (take(reader, "-")) {
    const operand = readSigned(reader);
    return (retried) => -operand(retried);
  }
  const base = readOperand(reader);
  if (!take(reader, "^") && !take(reader, "**")) return base;
  // Powers are right-associative: 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2).
  const exponent = readSigned(reader);
  return (retried) => base(retried) ** exponent(retried);
}

function readOperand(reader: Reader): RetryDelay {
  const word = reader.tokens[reader.at++];
  if (word === undefined) throw new SyntaxError("an operand is missing");
  if (word === "(") {
    const inner = readSum(reader);
    expectToken(reader, ")");
    return inner;
  }
  if (word === "retried") return (retried) => retried;
  if (/^[\d.]/.test(word)) {
    const value = Number(word);
    return () => value;
  }
  const called = Object.hasOwn(functions, word) ? functions[word] : undefined;
  if (!called) throw new SyntaxError("an unknown name");
  expectToken(reader, "(");
  const operands = [readSum(reader)];
  while (operands.length < called.arity) {
    expectToken(reader, ",");
    operands.push(readSum(reader));
  }
  expectToken(reader, ")");
  return (retried) => called.apply(...operands.map((operand) => operand(retried)));
}

function take(reader: Reader, wanted: string): boolean {
  if (reader.tokens[reader.at] !== wanted) return false;
  reader.at += 1;
  return true;
}

function expectToken(reader: Reader, wanted: string): void {
  if (!take(reader, wanted)) throw new SyntaxError(`${wanted} is missing`);
}
