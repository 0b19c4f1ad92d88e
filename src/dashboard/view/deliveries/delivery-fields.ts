import { forwardOutcomes, runtimes } from "#platform/delivery.ts";

import { runtimeLabel } from "../../format.ts";
import { type ListField, optionsOf } from "../list/list-field.ts";

/** The conditions of `/api/ops/deliveries`. */
export const deliveryFields: readonly ListField[] = [
  { name: "outcome", label: "Outcome", options: optionsOf(forwardOutcomes) },
  { name: "runtime", label: "Runtime", options: runtimes.map((value) => ({ value, label: runtimeLabel(value) })) },
  { name: "error", label: "Error", placeholder: "Code" },
  { name: "region", label: "Region", placeholder: "fra1" },
  { name: "deployment", label: "Deployment", placeholder: "Id" },
  { name: "ackMsMin", label: "Ack at least, ms", placeholder: "1000" },
];
