import { batchCases, sizeCases } from "./amount-cases.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import { encodingCases } from "./encoding-cases.ts";
import { handshakeCases } from "./handshake-cases.ts";
import { httpCases } from "./http-cases.ts";
import { containerCases, kindCases } from "./shape-cases.ts";
import { signatureCases } from "./signature-cases.ts";
import { repeatCases, timeCases } from "./time-cases.ts";

/** All cases, in the order of the report. */
export const allCases: readonly ConformanceCase[] = [
  ...handshakeCases,
  ...signatureCases,
  ...encodingCases,
  ...kindCases,
  ...containerCases,
  ...batchCases,
  ...sizeCases,
  ...repeatCases,
  ...timeCases,
  ...httpCases,
];
