// Imported for its effect on the build alone. Turbopack divides the edge functions into chunks by the modules they share,
// and divides the webhook's function in two if only some of its modules are here too: then it has 16,795 bytes of gzip over
// an empty route instead of 15,785 (Next 16.4.6, `npm run bench -- --only bytes` with and without this line).
import "../../../webhooks/instagram/route.ts";

import { allowOnly } from "../../../../allow-only.ts";

// This route starts the experiment's runs on the edge runtime.
export const runtime = "edge";

export { POST } from "../lifecycle.ts";

const refuse = allowOnly("POST");
export { refuse as GET, refuse as HEAD, refuse as OPTIONS, refuse as PUT, refuse as PATCH, refuse as DELETE };
