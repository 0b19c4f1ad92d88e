// Not called here. Turbopack cuts functions into chunks by what they share: with the webhook's modules in both, the webhook
// is not cut in two, which would make it 1 kB of gzip larger.
import "../../../webhooks/instagram/route.ts";

import { allowOnly } from "../../../../allow-only.ts";

// The runtime is what this part of the experiment is about.
export const runtime = "edge";

export { POST } from "../lifecycle.ts";

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
