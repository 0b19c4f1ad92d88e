/**
 * The commands of package.json: installs and builds what is missing or stale, then runs the command in TypeScript. It has
 * no dependencies, because nothing may be installed yet, and uses only syntax that very old Nodes read, so that they print
 * the sentence about the needed version instead of a SyntaxError.
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
const stampName = "relay-build";
/** In the folder of the build: a file for each start that serves it. */
const holders = "relay-starts";
const nodeMinimum = [20, 19];
/** Where steps are shown. */
let progress = process.stdout;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
const commands = ["start", "dev", "test", "relay", "bench", "chaos", "lifecycle", "fuzz", "qstash", "pack"];
/** These run from source, or build an app of their own. */
const builtByThemselves = new Set(["dev", "relay", "fuzz", "lifecycle", "qstash", "pack"]);

/** The servers that these start are tried with QStash, whatever `.env.local` chooses for `npm start`. */
const triedWithQstash = new Set(["test", "bench", "chaos"]);

/** What `next build` reads. The CLI and the broker run from source. */
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

/** What to tell the user of a Node that is too old; `null` if it is new enough. */
export function nodeProblem(version) {
  const [major, minor] = version.split(".").map(Number);
  const isEnough = major > nodeMinimum[0] || (major === nodeMinimum[0] && minor >= nodeMinimum[1]);
  return isEnough
    ? null
    : `Node.js ${nodeMinimum.join(".")} or newer is needed; this is ${version}. See https://nodejs.org/en/download`;
}

/** Whether npm has installed what the lock file asks for; with `withDev: false` dev packages may be missing. */
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

/** A hash of the names and contents of all files in `names`, without the folders in `except`. */
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
  // What these print is data, which a pipe or a file may take.
  if (command === "relay") progress = process.stderr;
  const wantsHelp = args.includes("--help") || args.includes("-h");
  const needsBuild = !wantsHelp && !builtByThemselves.has(command);
  if (installReason(command)) await alone(async () => installReason(command) && install());
  const { run, check } = await load(command);
  const queue = triedWithQstash.has(command) ? process.env.QUEUE || "qstash" : null;
  if (needsBuild) await provideBuild(queue, check, command === "start");
  return run(args);
}

/** Builds once if the build is stale; with `serves` no other start replaces it until this process ends. */
async function provideBuild(queue, check, serves) {
  const hold = () => (serves ? holdBuild(at(".next")) : () => {});
  if (!isBuildStale(queue)) {
    const letGo = hold();
    // Looked at again once it is held: another start may just have begun to build.
    if (!isBuildStale(queue)) return;
    letGo();
  }
  if (check) await check();
  await alone(async () => {
    if (isBuildStale(queue)) await build(queue);
    // Before the next start may build. Sources that changed meanwhile, or a stamp that cannot be written, build again at the next start.
    hold();
  });
}

/**
 * Takes away what calls the build fresh, before another one replaces it; throws if a start serves it. A start notes that it
 * serves before it looks for the stamp, and here the stamp goes before the notes are read: one of the two sees the other.
 */
export function withdrawStamp(folder) {
  const file = path.join(folder, stampName);
  const stamp = readText(file);
  fs.rmSync(file, { force: true });
  const holder = buildHolder(folder);
  if (holder === null) return;
  if (stamp) writeText(file, stamp);
  throw new Error(
    `The sources or QUEUE have changed since the build, which another npm start (process ${holder}) runs from this folder: ` +
      "stop it and start again, or start in another checkout.",
  );
}

/** Notes that this process serves the build in the folder; returns a function that takes the note back. */
export function holdBuild(folder) {
  const file = path.join(folder, holders, String(process.pid));
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // Of an earlier process with the same number.
    fs.rmSync(file, { force: true });
    tryLock(file);
  } catch {
    // What cannot be written to, as in a container's read-only folder, cannot be built again either.
  }
  const remove = () => removeFile(file);
  process.once("exit", remove);
  return () => {
    process.off("exit", remove);
    remove();
  };
}

/** The number of a process that serves the build in the folder; `null` if there is none. */
export function buildHolder(folder) {
  const noted = path.join(folder, holders);
  const names = fs.existsSync(noted) ? fs.readdirSync(noted) : [];
  return names.find((name) => !isAbandoned(path.join(noted, name))) || null;
}

/** Does the work while no other start installs or builds in this checkout; a signal ends the process. */
async function alone(work) {
  signals.forEach((signal) => process.on(signal, quit));
  const release = await takeLock(at(".bootstrap.lock"), (text) => progress.write(`${text}\n`));
  try {
    await work();
  } finally {
    release();
    signals.forEach((signal) => process.off(signal, quit));
  }
}

/** The command's module: `run`, and `check` where it can say before a build that it could not run after it. */
async function load(command) {
  const tsx = await import("tsx/esm/api");
  tsx.register();
  const folders = { bench: ["tests", "bench"], chaos: ["tests", "chaos"], lifecycle: ["tests", "lifecycle-proof"] };
  const file = at(...(folders[command] || ["src", "cli"]), `${command}.ts`);
  return import(pathToFileURL(file).href);
}

function quit(signal) {
  process.exit(128 + os.constants.signals[signal]);
}

/** Why packages must be installed; `null` if they need not be. */
function installReason(command) {
  const lockText = fs.readFileSync(at("package-lock.json"), "utf8");
  const stamp = `${sha256(lockText)} ${process.platform}-${process.arch}`;
  if (readText(installStamp) === stamp) return null;
  const installed = readText(at("node_modules", ".package-lock.json"));
  if (!installed) return "missing";
  const lock = JSON.parse(lockText);
  // Also if the user has run npm install by hand.
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
    // `npm ci` refuses a lock file without the optional packages of other systems, as some registries make it (npm/cli#4828).
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

function isBuildStale(queue) {
  return !isBuiltFrom(buildHash(queue), at(".next"));
}

/** `next build` by hand, which may have had another QUEUE, leaves our stamp as it was, but not the build's id. */
export function isBuiltFrom(hash, folder) {
  const id = readText(path.join(folder, "BUILD_ID"));
  return id !== "" && readText(path.join(folder, stampName)) === `${hash} ${id}`;
}

/** Says what the build in the folder was made from. */
export function stampBuild(hash, folder) {
  writeText(path.join(folder, stampName), `${hash} ${readText(path.join(folder, "BUILD_ID"))}`);
}

/** As `next build` reads it. */
function readQueue() {
  const fromFile = [".env.production.local", ".env.local", ".env.production", ".env"]
    .map((name) => /^\s*QUEUE\s*=\s*["']?([a-z-]*)/m.exec(readText(at(name)) || ""))
    .find((found) => found);
  return process.env.QUEUE || (fromFile && fromFile[1]) || "qstash";
}

/** A build is made of the files and, because the edge function holds one queue, of this one; null: of what QUEUE names. */
function buildHash(given) {
  const queue = given || readQueue();
  return `${hashFiles(root, buildInputs, notBuilt)}${queue === "qstash" ? "" : ` ${queue}`}`;
}

async function build(queue) {
  const hash = buildHash(queue);
  withdrawStamp(at(".next"));
  // `next build` sets NODE_ENV itself and warns about another value.
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  if (queue) env.QUEUE = queue;
  delete env.NODE_ENV;
  const next = at("node_modules", "next", "dist", "bin", "next");
  await step("Building", "Built", () => capture(process.execPath, [next, "build"], env));
  stampBuild(hash, at(".next"));
}

/** Runs a child in a process group of its own, which ends with this process; resolves with its exit status and output. */
function capture(file, args, env, shell = false) {
  return new Promise((resolve) => {
    const isWindows = process.platform === "win32";
    const child = spawn(file, args, { cwd: root, env, shell, detached: !isWindows, stdio: ["ignore", "pipe", "pipe"] });
    const kill = () => {
      try {
        process.kill(isWindows ? child.pid : -child.pid, "SIGTERM");
      } catch {
        // It has just ended.
      }
    };
    process.once("exit", kill);
    let output = "";
    const settle = (code) => {
      process.off("exit", kill);
      resolve({ code, output });
    };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => {
      output += error.message;
      settle(1);
    });
    child.on("close", settle);
  });
}

/** Runs a child and shows that it goes on: on a terminal a line that counts seconds, elsewhere a line before and after. */
async function step(doing, done, work) {
  const startedMs = Date.now();
  const seconds = () => ((Date.now() - startedMs) / 1000).toFixed(1);
  const isTerminal = Boolean(progress.isTTY) && process.env.TERM !== "dumb";
  const timer = isTerminal && setInterval(() => progress.write(`\r${doing} … ${seconds()} s`), 100);
  if (!isTerminal) progress.write(`${doing} …\n`);
  const { code, output } = await work();
  clearInterval(timer);
  if (isTerminal) progress.write("\r\u001b[2K");
  if (code === 0) return progress.write(`✔ ${done} ${seconds()} s\n`);
  console.error(output.trimEnd());
  throw new Error(`${doing} failed, see above.`);
}

/**
 * Lets one process at a time install or build in a checkout; resolves with a function that lets the next one in. The lock
 * file is in the checkout, because any user could create one in the folder for temporary files, and neither in
 * node_modules, which `npm ci` deletes, nor in .next.
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

/** Creating the file takes the lock: the system lets only one process succeed. */
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

/** Under a second lock: of two processes that find a dead holder, the slower could otherwise remove the lock of the faster. */
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

/** Whether the holder has ended. A lock is empty between its creation and its first write, or because its holder was killed there. */
function isAbandoned(file) {
  const [pid, mark] = readText(file).split(" ");
  if (!pid) return ageMs(file) > 2000;
  if (!isRunning(Number(pid))) return true;
  // Without a mark the number may be another process's since this machine has started.
  return mark ? startMark(Number(pid)) !== mark : ageMs(file) > os.uptime() * 1000 + 60000;
}

/** A file dated in the future, as after the clock was set back, is as old as it is early. */
function ageMs(file) {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  return stats ? Math.abs(Date.now() - stats.mtimeMs) : 0;
}

/** When a process started, as Linux writes it: the same number with another start is another process. */
function startMark(pid) {
  const stat = readText(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
  return stat[19] || "";
}

/** Stops this process when npm ends: npm ends at once on a signal and does not always forward it. */
function watchNpm() {
  if (!process.env.npm_lifecycle_event || process.platform === "win32") return;
  const parent = process.ppid;
  // npm runs a shell, which usually, but not always, is replaced by this process.
  const grandparent = shellParent(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (!grandparent || isRunning(grandparent))) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 250);
  timer.unref();
}

/** The parent of a process that is a shell; `null` if it is none or /proc does not tell. */
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

function readText(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function removeFile(file) {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // It is of a process that has ended, or soon will.
  }
}

function writeText(file, text) {
  try {
    fs.writeFileSync(file, text);
  } catch {
    // Without the stamp the next start only checks again.
  }
}

function sha256(text) {
  return createHash("sha256").update(text).digest("hex");
}

function fail(sentence) {
  console.error(sentence);
  process.exitCode = 1;
}

/** Runs a command of package.json; the exit status says whether it succeeded. */
export function start(command, args) {
  main(command, args).catch((error) => fail(`✖ ${error && error.message ? error.message : String(error)}`));
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === self) start(process.argv[2], process.argv.slice(3));
