// Imported for its effect on the build alone. Turbopack cuts the edge functions into chunks by the modules they share, and
// cuts the webhook's function in two if only some of its modules are here too. Measured with Next 16.4.6: that would make
// the webhook's function 872 bytes of gzip larger (16,314 instead of 15,442 over an empty route).
import "../../../webhooks/instagram/route.ts";

import { methods } from "#platform/methods.ts";

import { answer } from "../lifecycle.ts";

// This route starts the experiment's runs on the edge runtime.
export const runtime = "edge";

export const { GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE } = methods({ POST: answer });
