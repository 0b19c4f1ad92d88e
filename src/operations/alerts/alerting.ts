import type { Network } from "#platform/bounded-fetch.ts";
import type { Log } from "#platform/log.ts";
import type { MessagePublisher } from "#queue/message-publisher.ts";
import type { Database } from "#store/connection/database.ts";

import type { QueueFacts } from "../condition/condition.ts";
import type { AlertAddress } from "./alert-address.ts";

/** What alerts are evaluated and sent with; the rim builds it. */
export interface Alerting extends Network {
  db: Database;
  /** ALERT_WEBHOOK_URL. */
  addresses: readonly AlertAddress[];
  /** RELAY_SECRET's first. */
  secret: string;
  /** The relay's own base URL. */
  relayUrl: string;
  publisher: MessagePublisher;
  queue: QueueFacts;
  /** PROBE_PAIRS_PER_DAY. */
  probePairsPerDay: number;
  /** A random UUID. */
  newId: () => string;
  log: Log;
}
