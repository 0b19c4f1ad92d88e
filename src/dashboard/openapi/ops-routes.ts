import type * as v from "valibot";

import { acknowledgeRequest, muteRequest, unmuteRequest } from "#operations/alerts/decide-alert.ts";
import { backfillRequest } from "#operations/backfill/backfill-request.ts";
import { groupRequest } from "#operations/change-group.ts";
import { endSessionsRequest } from "#operations/end-sessions.ts";
import { emptyRequest, planRequest, startRequest } from "#operations/replay-request.ts";
import { testRequest } from "#operations/send-test-delivery.ts";
import { countRequest, pairsRequest } from "#operations/take-probes.ts";
import type { OpsRole } from "#platform/ops-token.ts";

import { auditQuery } from "../access/read-audit.ts";
import { deliveryQuery } from "../deliveries/delivery-filter.ts";
import { eventQuery } from "../events/event-filter.ts";
import { fixtureQuery } from "../events/fixture-query.ts";
import { driftQuery } from "../events/read-drift.ts";
import { findQuery } from "../find/find.ts";
import { handlerQuery } from "../handlers/read-handlers.ts";
import { noParameters, type QuerySchema } from "../lists/query-parameters.ts";
import { backfillQuery } from "../repair/read-backfills.ts";
import { groupQuery } from "../repair/read-dead-letter-groups.ts";
import { memberQuery } from "../repair/read-dead-letters.ts";
import { replayQuery } from "../repair/read-replays.ts";
import { comparisonQuery } from "../runtimes/read-runtimes.ts";
import { pulseQuery } from "../status/pulse-query.ts";

/** One method of one route of `/api/ops`: what a request may have, and what it does. */
export interface OpsRoute {
  method: "GET" | "POST" | "DELETE";
  /** Below `/api/ops`, with its parameters in braces. */
  path: string;
  role: OpsRole;
  summary: string;
  query?: QuerySchema;
  body?: v.GenericSchema;
  /** Of the answer; 200 unless given. */
  status?: number;
}

const reads = (path: string, summary: string, query: QuerySchema = noParameters): OpsRoute => {
  return { method: "GET", path, role: "read", summary, query };
};
const changes = (path: string, summary: string, rest: Partial<OpsRoute> = {}): OpsRoute => {
  return { method: "POST", path, role: "admin", summary, body: emptyRequest, ...rest };
};

/** Every route, with the schemas by which it parses its requests. `testKinds`: of the events that a test can invent. */
export function opsRoutes(testKinds: readonly string[]): readonly OpsRoute[] {
  return [
    reads("/status", "How the relay is, in words: lost, refused, stuck, failing, waiting"),
    reads("/pulse", "What has changed since an open page was read", pulseQuery),
    reads("/find", "Whatever has this id", findQuery),
    reads("/events", "Stored events, newest first, as JSON or as NDJSON", eventQuery),
    reads("/events/{eventId}/payload", "The data of an event, byte for byte as it is stored"),
    reads("/events/{eventId}/fixture", "An event as a file for relay trigger, with its ids masked", fixtureQuery),
    reads("/deliveries", "Deliveries, last received first", deliveryQuery),
    reads("/deliveries/{deliveryId}", "One delivery's journey, with every attempt"),
    reads("/handlers", "How the handlers of each kind of event do", handlerQuery),
    reads("/drift", "How Meta's data differs from the types that handlers get", driftQuery),
    reads("/runtimes", "Edge and Node side by side", comparisonQuery),
    reads("/dead-letters", "Groups of dead letters of one cause", groupQuery),
    reads("/dead-letters/{groupId}", "A group with its dead letters", memberQuery),
    reads("/dead-letters/{groupId}/{letterId}", "What the queue could not deliver, decoded"),
    changes("/dead-letters/{groupId}/state", "Decides about a group", { body: groupRequest }),
    reads("/replays", "Replays, newest first", replayQuery),
    changes("/replays", "Plans a replay", { body: planRequest, status: 201 }),
    reads("/replays/{replayId}", "One replay and its progress"),
    changes("/replays/{replayId}/start", "Starts a planned replay", { body: startRequest }),
    changes("/replays/{replayId}/cancel", "Cancels a replay"),
    reads("/backfills", "Backfills, newest first", backfillQuery),
    changes("/backfills", "Plans a backfill: what Instagram's API would give back", {
      body: backfillRequest,
      status: 201,
    }),
    reads("/backfills/{backfillId}", "One backfill and its progress"),
    changes("/backfills/{backfillId}/start", "Starts a planned, stopped or stalled backfill"),
    changes("/backfills/{backfillId}/cancel", "Cancels a backfill"),
    reads("/pause", "Whether ingestion is paused, and what waits"),
    changes("/pause", "Pauses ingestion; deliveries are still acknowledged"),
    changes("/pause", "Resumes ingestion", { method: "DELETE" }),
    changes("/test-deliveries", "Signs and sends a test delivery", { body: testRequest(testKinds) }),
    reads("/probes", "Whether probes are on, and what was measured"),
    changes("/probes", "Takes pairs that were measured elsewhere", { body: pairsRequest }),
    changes("/probes/signed", "Signed probes to be sent from elsewhere", { body: countRequest }),
    changes("/probes/run", "Sends probes now", { body: countRequest }),
    reads("/alerts", "Rules with their state and figures, and what was sent"),
    changes("/alerts/test", "Posts a test to each address"),
    changes("/alerts/{rule}/acknowledge", "Ends the reminders of an alert", { body: acknowledgeRequest }),
    changes("/alerts/{rule}/mute", "Holds back every message of a rule until a time", { body: muteRequest }),
    changes("/alerts/{rule}/unmute", "Ends a mute", { body: unmuteRequest }),
    reads("/audit", "Who did what, newest first", auditQuery),
    reads("/me", "The caller's own name and role"),
    reads("/sessions", "Sessions of the dashboard"),
    changes("/sessions/end", "Ends the sessions of a token; others' need the role admin", {
      role: "read",
      body: endSessionsRequest,
    }),
    reads("/openapi", "This description"),
  ];
}
