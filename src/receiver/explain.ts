/** The package's entry `explain`: why the signature of a delivery does not match. For tools and tests, not for a webhook's answer. */
export {
  type ExplainOptions,
  explainSignature,
  type SignatureExplanation,
  type SignatureFinding,
} from "#diagnostics/explain-signature.ts";
