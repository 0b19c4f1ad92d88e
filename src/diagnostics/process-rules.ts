import type { VariableRule } from "./variable-rule.ts";

/** Variables that are not ours and change what is done with ours. */
export const processRules: readonly VariableRule[] = [
  {
    of: ["QSTASH_DEV"],
    status: "warning",
    detail: "set",
    cause:
      "It makes the SDK use the public keys of QStash's development server. The relay tells it not to; other code of yours may believe forged deliveries.",
    remedy: "Remove it.",
    matches: (value) => !["", "0", "false"].includes(value.trim()),
  },
  {
    of: ["QSTASH_REGION"],
    status: "warning",
    detail: "set",
    cause: "The SDK takes the region's own variables because of it; the relay reads only QSTASH_URL and QSTASH_TOKEN.",
    remedy: "Set QSTASH_URL and QSTASH_TOKEN to that region's, and remove it.",
    matches: (value) => value.trim() !== "",
  },
  {
    of: ["NODE_TLS_REJECT_UNAUTHORIZED"],
    status: "failed",
    detail: "set to 0",
    cause: "Node believes every certificate: whoever is on the way can read the token and the messages.",
    remedy: "Remove it; let NODE_EXTRA_CA_CERTS name the authority that Node should trust.",
    matches: (value) => value.trim() === "0",
  },
];
