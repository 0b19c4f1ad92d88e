import { signBurst } from "#operations/probing.ts";
import { readRequest } from "#operations/read-request.ts";
import { countRequest } from "#operations/take-probes.ts";
import { methods } from "#platform/methods.ts";

import { clock } from "../../../../log.ts";
import { openProbing } from "../../../../probes.ts";
import { opsRoute } from "../../ops-route.ts";

export const dynamic = "force-dynamic";

const signed = opsRoute(
  async ({ request }) => signBurst(await readRequest(request, countRequest, clock), openProbing()),
  { audit: { action: "probes.sign" } },
);

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: signed });
