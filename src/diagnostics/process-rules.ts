import type { VariableRule } from "./variable-rule.ts";

/** Variables of other programs that change how ours are used. */
export const processRules: readonly VariableRule[] = [
  {
    of: ["QSTASH_DEV"],
    status: "warning",
    detail: "set",
    cause:
      "It makes the SDK use the public keys of QStash's development server. The relay turns that off; other code of yours may accept forged deliveries.",
    remedy: "Remove it.",
    matches: (value) => !["", "0", "false"].includes(value.trim()),
  },
  {
    of: ["QSTASH_REGION"],
    status: "warning",
    detail: "set",
    cause: "It makes the SDK use the variables of that region; the relay reads only QSTASH_URL and QSTASH_TOKEN.",
    remedy: "Set QSTASH_URL and QSTASH_TOKEN to those of the region, and remove it.",
    matches: (value) => value.trim() !== "",
  },
  {
    of: ["NODE_TLS_REJECT_UNAUTHORIZED"],
    status: "failed",
    detail: "set to 0",
    cause: "Node accepts every certificate, so an attacker in the network can read the token and the messages.",
    remedy: "Remove it, and name the authority that Node should trust in NODE_EXTRA_CA_CERTS.",
    matches: (value) => value.trim() === "0",
  },
];
