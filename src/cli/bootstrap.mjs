/**
 * What `npm start`, `npm test` and the other commands of package.json run: installs and builds what is missing or stale,
 * then hands over to the TypeScript. Nothing is installed yet when it starts, so it has no dependencies; and it keeps to
 * the syntax of very old Nodes, which would otherwise greet with a SyntaxError instead of the sentence that a newer one
 * is needed.
 */
import { spawn } from "child_process";
import { createHash } from "crypto";
import fs from "fs";
import os from "os";
import path from "path";
import { fileURLToPath, pathToFileURL } from "url";

const self = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(path.dirname(self)));
const at = (...names) => path.join(root, ...names);
const installStamp = at("node_modules", ".relay-install");
const buildStamp = at(".next", "relay-build");
const nodeMinimum = [20, 19];
const commands = ["start", "test", "relay", "bench", "chaos", "lifecycle", "fuzz", "qstash"];

/** What `next build` reads. The CLI and the broker run from their source. */
const buildInputs = [
  "app",
  "src",
  "public",
  "next.config.ts",
  "instrumentation.ts",
  "proxy.ts",
  "tsconfig.json",
  "package.json",
  "package-lock.json",
];
const notBuilt = ["src/cli", "src/broker"];

/** The sentence for a Node that is too old, or `null`. */
export function nodeProblem(version) {
  const [major, minor] = version.split(".").map(Number);
  const isEnough = major > nodeMinimum[0] || (major === nodeMinimum[0] && minor >= nodeMinimum[1]);
  return isEnough
    ? null
    : `Node.js ${nodeMinimum.join(".")} or newer is needed; this is ${version}. See https://nodejs.org/en/download`;
}

/** Whether what npm says it installed is what the lock file asks for; `withDev: false` forgives missing dev packages. */
export function isInstalled(lock, installed, withDev) {
  return Object.keys(lock.packages).every((name) => {
    const wanted = lock.packages[name];
    const found = installed.packages[name];
    if (name === "" || wanted.link) return true;
    if (!found) return Boolean(wanted.optional || wanted.devOptional || wanted.peer || (wanted.dev && !withDev));
    return (
      found.version === wanted.version &&
      (!wanted.integrity || !found.integrity || found.integrity === wanted.integrity)
    );
  });
}

/** A hash of names and contents of all files below `names`, skipping folders in `except`. */
export function hashFiles(folder, names, except) {
  const hash = createHash("sha256");
  const add = (name) => {
    const stats = fs.statSync(path.join(folder, name), { throwIfNoEntry: false });
    if (!stats || except.includes(name)) return;
    if (stats.isDirectory()) {
      for (const entry of fs.readdirSync(path.join(folder, name)).toSorted()) add(`${name}/${entry}`);
    } else {
      const content = fs.readFileSync(path.join(folder, name));
      hash.update(`${name}\0${content.length}\0`).update(content);
    }
  };
  names.forEach(add);
  return hash.digest("hex");
}

async function main(command, args) {
  const problem = nodeProblem(process.versions.node);
  if (problem) return fail(problem);
  if (!commands.includes(command)) return fail(`Usage: node src/cli/bootstrap.mjs ${commands.join("|")}`);
  watchNpm();
  // The lifecycle proof builds an app of its own.
  const wantsHelp = args.includes("--help") || args.includes("-h");
  const needsBuild = !wantsHelp && !["relay", "fuzz", "lifecycle", "qstash"].includes(command);
  const isReady = () => !installReason(command) && !(needsBuild && isBuildStale());
  if (!isReady()) {
    const release = await takeLock(at(".bootstrap.lock"), console.log);
    try {
      if (installReason(command)) await install();
      if (needsBuild && isBuildStale()) await build();
    } finally {
      release();
    }
  }
  if (command === "test") return test(args);
  if (command === "fuzz") {
    if (!process.env.FUZZ_CASES) process.env.FUZZ_CASES = "100000";
    return test(["tests/instagram/hostile.test.ts", "tests/store/odd-values.test.ts", ...args]);
  }
  const tsx = await import("tsx/esm/api");
  tsx.register();
  const folders = { bench: ["tests", "bench"], chaos: ["tests", "chaos"], lifecycle: ["tests", "lifecycle-proof"] };
  const folder = at(...(folders[command] ?? ["src", "cli"]));
  const file = path.join(folder, `${command}.ts`);
  const handover = await import(pathToFileURL(file).href);
  return handover.run(args);
}

function installReason(command) {
  const lockText = fs.readFileSync(at("package-lock.json"), "utf8");
  const stamp = `${sha256(lockText)} ${process.platform}-${process.arch}`;
  if (readText(installStamp) === stamp) return null;
  const installed = readText(at("node_modules", ".package-lock.json"));
  if (!installed) return "missing";
  const lock = JSON.parse(lockText);
  // Somebody ran npm by hand: no need to do it again.
  if (isInstalled(lock, JSON.parse(installed), true)) {
    writeText(installStamp, stamp);
    return null;
  }
  return command !== "test" && isInstalled(lock, JSON.parse(installed), false) ? null : "stale";
}

async function install() {
  fs.rmSync(installStamp, { force: true });
  const options = ["--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  await step("Installing packages", "Installed packages", async () => {
    const exact = await npm(["ci", ...options]);
    // A registry that lacks other systems' optional packages makes a lock file that `npm ci` refuses (npm/cli#4828).
    if (exact.code === 0 || !exact.output.includes("EUSAGE")) return exact;
    return npm(["install", "--no-save", ...options]);
  });
  const stamp = `${sha256(fs.readFileSync(at("package-lock.json"), "utf8"))} ${process.platform}-${process.arch}`;
  writeText(installStamp, stamp);
}

function npm(args) {
  const own = process.env.npm_execpath || "";
  if (/npm-cli\.c?js$/.test(own)) return capture(process.execPath, [own, ...args], process.env);
  const isWindows = process.platform === "win32";
  return capture(isWindows ? "npm.cmd" : "npm", args, process.env, isWindows);
}

function isBuildStale() {
  return !fs.existsSync(at(".next", "BUILD_ID")) || readText(buildStamp) !== hashFiles(root, buildInputs, notBuilt);
}

async function build() {
  const hash = hashFiles(root, buildInputs, notBuilt);
  fs.rmSync(buildStamp, { force: true });
  // Next decides what a production build is; a NODE_ENV from outside only confuses it.
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  delete env.NODE_ENV;
  const next = at("node_modules", "next", "dist", "bin", "next");
  await step("Building", "Built", () => capture(process.execPath, [next, "build"], env));
  writeText(buildStamp, hash);
}

function test(args) {
  const vitest = at("node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--config", "tests/vitest.config.ts", ...args], {
    cwd: root,
    stdio: "inherit",
  });
  // Ctrl-C reaches vitest by itself, being sent to the whole group.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code === null ? 128 + (os.constants.signals[signal] || 0) : code;
  });
}

/** Runs a child in a group of its own, keeps what it says, and ends all of it when we are asked to stop. */
function capture(file, args, env, shell = false) {
  return new Promise((resolve) => {
    const isWindows = process.platform === "win32";
    const child = spawn(file, args, { cwd: root, env, shell, detached: !isWindows, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const stops = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
      const stop = () => {
        try {
          if (isWindows) child.kill();
          else process.kill(-child.pid, signal);
        } catch {
          // It has just ended.
        }
        process.stdout.write("\n");
        process.exit(128 + os.constants.signals[signal]);
      };
      process.on(signal, stop);
      return () => process.off(signal, stop);
    });
    const settle = (code) => {
      stops.forEach((remove) => remove());
      resolve({ code, output });
    };
    child.on("error", (error) => {
      output += error.message;
      settle(1);
    });
    child.on("close", settle);
  });
}

/** Shows that something goes on: a spinner with seconds on a terminal, two plain lines elsewhere. */
async function step(doing, done, work) {
  const startedMs = Date.now();
  const seconds = (digits) => ((Date.now() - startedMs) / 1000).toFixed(digits);
  const isTerminal = Boolean(process.stdout.isTTY) && process.env.TERM !== "dumb";
  const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
  let frame = 0;
  const draw = () =>
    process.stdout.write(`\r\u001b[2K${paint(36, frames[frame++ % frames.length])} ${doing} … ${seconds(0)} s`);
  if (!isTerminal) console.log(`${doing} …`);
  const timer = isTerminal ? setInterval(draw, 100) : undefined;
  const { code, output } = await work();
  clearInterval(timer);
  if (isTerminal) process.stdout.write("\r\u001b[2K");
  if (code === 0) {
    console.log(`${paint(32, "✔")} ${done} ${paint(2, `${seconds(1)} s`)}`);
    return;
  }
  console.error(output.trimEnd());
  throw new Error(`${doing} failed, see above.`);
}

/**
 * One process at a time installs or builds in a checkout; resolves with what lets the next one in. The lock lies in the
 * checkout: in the system's folder for temporary files any user could make it first. It is not in node_modules, which
 * `npm ci` deletes, nor in .next.
 */
export async function takeLock(file, note) {
  for (let isWaiting = false; ; isWaiting = true) {
    if (tryLock(file) || takeOver(file)) {
      const release = () => fs.rmSync(file, { force: true });
      process.once("exit", release);
      return () => {
        process.off("exit", release);
        release();
      };
    }
    const holder = readText(file).split(" ")[0];
    if (!isWaiting) note(`Another start (process ${holder || "?"}) is installing or building here; waiting for it …`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Creating the file is the lock: the system lets only one succeed. */
function tryLock(file) {
  try {
    fs.writeFileSync(file, `${process.pid} ${startMark(process.pid)}`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    const folder = path.dirname(file);
    throw new Error(`This folder cannot be written to (${error.code || error.message}): ${folder}`, { cause: error });
  }
}

/** Under a lock of its own: of two that find the same dead holder the slower would remove the lock of the faster. */
function takeOver(file) {
  if (!isAbandoned(file)) return false;
  const takeover = `${file}.takeover`;
  if (ageMs(takeover) > 10000) fs.rmSync(takeover, { force: true });
  if (!tryLock(takeover)) return false;
  try {
    if (!isAbandoned(file)) return false;
    fs.rmSync(file, { force: true });
    return tryLock(file);
  } finally {
    fs.rmSync(takeover, { force: true });
  }
}

/** Whether its holder has ended. Empty it is for the instant between its making and its writing, or for good. */
function isAbandoned(file) {
  const [pid, mark] = readText(file).split(" ");
  if (!pid) return ageMs(file) > 2000;
  return !isRunning(Number(pid)) || (mark && startMark(Number(pid)) !== mark);
}

function ageMs(file) {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  return stats ? Date.now() - stats.mtimeMs : 0;
}

/** When a process started, as Linux writes it: the same number with another start is another process. */
function startMark(pid) {
  const stat = readText(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  return stat[19] || "";
}

/** npm dies at once on a signal and does not always pass it on: its end is our signal. */
function watchNpm() {
  if (!process.env.npm_lifecycle_event || process.platform === "win32") return;
  const parent = process.ppid;
  // npm runs us through a shell, which usually, not always, becomes us.
  const grandparent = shellParent(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (!grandparent || isRunning(grandparent))) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 250);
  timer.unref();
}

/** The parent of a shell, `null` if that process is not one (or the system does not say). */
function shellParent(pid) {
  const stat = /^\d+ \((.*)\) \S (\d+)/s.exec(readText(`/proc/${pid}/stat`));
  return stat && /^(sh|bash|dash|ash|zsh)$/.test(stat[1]) && Number(stat[2]) > 1 ? Number(stat[2]) : null;
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function paint(code, text) {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const isColored = NO_COLOR ? false : FORCE_COLOR ? FORCE_COLOR !== "0" : process.stdout.isTTY && TERM !== "dumb";
  return isColored ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function readText(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function writeText(file, text) {
  try {
    fs.writeFileSync(file, text);
  } catch {
    // A stamp only saves work; a checkout we may not write to does without.
  }
}

function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

function fail(sentence) {
  console.error(sentence);
  process.exitCode = 1;
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === self) {
  main(process.argv[2], process.argv.slice(3)).catch((error) =>
    fail(error && error.message ? error.message : String(error)),
  );
}
