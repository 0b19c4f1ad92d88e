import { type Command, InvalidArgumentError } from "commander";

import { systemClock } from "#platform/clock.ts";

import { noteLink } from "../add-list-command.ts";
import type { CommandContext } from "../command-context.ts";
import { type DeliverySource, readDeliverySources } from "../delivery-sources.ts";
import { CliFailure } from "#platform/failure.ts";
import { payloadKinds } from "#conformance/payloads.ts";
import { sendDeliveries, type SentDelivery } from "../send-deliveries.ts";
import { drawTable, showCell } from "../table.ts";
import { targetUrl } from "../target-url.ts";
import { alignRows } from "../terminal.ts";

interface Options {
  to: string;
  count: number;
  rate?: number;
  set?: string[];
  print?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** With more deliveries only the summary is printed. */
const rowsMax = 20;
const progressEvery = 100;

/** Adds `relay trigger`, which fails unless every delivery is answered with 200. */
export function addTrigger(program: Command, context: CommandContext): void {
  program
    .command("trigger")
    .argument("<what>", `a kind of event, a .json file, or a folder of such files; kinds: ${payloadKinds.join(", ")}`)
    .description("sign deliveries and send them to the webhook")
    .option("--to <target>", "the route edge or node, or the URL of any webhook", "edge")
    .option("--count <n>", "the number of times each is sent", positiveInteger, 1)
    .option("--rate <n>", "deliveries per second, without waiting for answers", positiveNumber)
    .option(
      "--set <path=value>",
      "change a value in the payload, e.g. entry.0.messaging.0.message.text=hi",
      (one: string, before: string[] | undefined) => [...(before ?? []), one],
    )
    .option("--print", "print the payloads and send nothing")
    .option("--dry-run", "the same")
    .option("--json", "print JSON")
    .action(async (what: string, options: Options) => {
      const sources = readDeliverySources(what, context.folder, options.set ?? []);
      if (options.print || options.dryRun) return printPayloads(sources, context);
      const isLong = options.count > 1;
      const url = targetUrl(options.to, context);
      const sent = await sendDeliveries({
        url,
        appSecret: context.secret("INSTAGRAM_APP_SECRET").split(",")[0]?.trim() ?? "",
        sources,
        count: options.count,
        signal: context.signal,
        rate: options.rate ?? null,
        clock: systemClock,
        onProgress: (done, total) => {
          if (isLong && (done % progressEvery === 0 || done === total)) context.note(`${done} of ${total} sent`);
        },
      });
      const summary = summarize(sent);
      if (options.json) context.print(JSON.stringify({ ...summary, deliveries: sent }, null, 2));
      else printResult(sent, { summary, url }, context);
      if (summary.ok < summary.sent) {
        throw new CliFailure(
          `${summary.sent - summary.ok} of ${summary.sent} deliveries were not answered with 200.${listReasons(sent)}`,
        );
      }
    });
}

interface Summary {
  sent: number;
  ok: number;
  ackMs: { p50: number; p95: number; max: number };
}

function summarize(sent: readonly SentDelivery[]): Summary {
  const sorted = sent.map(({ ackMs }) => ackMs).toSorted((a, b) => a - b);
  const percentile = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return {
    sent: sent.length,
    ok: sent.filter(({ status }) => status === 200).length,
    ackMs: { p50: percentile(0.5), p95: percentile(0.95), max: percentile(1) },
  };
}

/** Byte for byte, so that `relay trigger file` sends the same; a line break follows each. */
async function printPayloads(sources: readonly DeliverySource[], context: CommandContext): Promise<void> {
  for (const source of sources) await context.write(Buffer.from(source.body(systemClock.nowMs())).toString());
}

/** Each reason once. */
function listReasons(sent: readonly SentDelivery[]): string {
  const reasons = new Set(sent.flatMap(({ error }) => error ?? []));
  return [...reasons].map((reason) => `\n  ${showCell(reason)}`).join("");
}

function printResult(
  sent: readonly SentDelivery[],
  { summary, url }: { summary: Summary; url: string },
  context: CommandContext,
): void {
  const { print, paint } = context;
  if (sent.length <= rowsMax) {
    const rows = sent.map((one) => [one.source, one.status, one.deliveryId, one.ackMs]);
    print(drawTable(["Sent", "Status", "Delivery", "Ack ms"], rows, paint, context));
  }
  const [first] = sent;
  // Another receiver's deliveries are not on this relay's pages.
  const isHere = url.startsWith(`${context.baseUrl()}/`);
  if (isHere && sent.length === 1 && first?.deliveryId) noteLink(context, `deliveries/${first.deliveryId}`);
  if (sent.length === 1) return;
  const { p50, p95, max } = summary.ackMs;
  const rows: [string, string][] = [
    ["Sent", String(summary.sent)],
    ["Answered 200", String(summary.ok)],
    ["Ack ms", `p50 ${p50}, p95 ${p95}, max ${max}`],
  ];
  print(alignRows(rows, paint));
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError("It must be a number above 0, at most 10000.");
  return value;
}
