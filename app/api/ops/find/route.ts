import { find, parseFind } from "#dashboard/find.ts";
import { methods } from "#platform/methods.ts";

import { openFind } from "../../../find.ts";
import { getReads } from "../../../services.ts";
import { opsRoute } from "../ops-route.ts";

export const dynamic = "force-dynamic";

const answer = opsRoute(async ({ query }) => find(getReads(), parseFind(query), openFind()));

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ GET: answer });
