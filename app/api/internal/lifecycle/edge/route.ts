// Imported for its effect on the build alone. Turbopack divides the edge functions into chunks by the modules they share,
// and divides the webhook's function in two if only some of its modules are here too: then it has 16,795 bytes of gzip over
// an empty route instead of 15,785 (Next 16.4.6, `npm run bench -- --only bytes` with and without this line).
import "../../../webhooks/instagram/route.ts";

import { methods } from "#platform/methods.ts";

import { answer } from "../lifecycle.ts";

// This route starts the experiment's runs on the edge runtime.
export const runtime = "edge";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
