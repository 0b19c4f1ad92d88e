/** Properties try the same cases in each run, so that a change alone can make one fail; `npm run fuzz` tries others. */
import * as fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["FUZZ_SEED"] ?? 20_261_126) });
