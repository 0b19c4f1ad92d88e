import { runtimes } from "#platform/delivery.ts";

import { askedStates } from "../../events/event-filter.ts";
import { runtimeLabel } from "../../format.ts";
import { flagOptions, type ListField, optionsOf } from "../list/list-field.ts";

/** The conditions of `/api/ops/events`, with the kinds that there are. */
export function eventFields(kinds: readonly string[]): ListField[] {
  return [
    { name: "q", label: "Search", placeholder: "Id, key or text" },
    { name: "kind", label: "Kind", options: optionsOf(kinds) },
    { name: "state", label: "State", options: optionsOf(askedStates) },
    { name: "error", label: "Error", placeholder: "Name or code" },
    { name: "account", label: "Account", placeholder: "Id" },
    { name: "sender", label: "Sender", placeholder: "Id", isRare: true },
    { name: "deliveryId", label: "Delivery", placeholder: "Id", isRare: true },
    { name: "replay", label: "Replay", placeholder: "Id", isRare: true },
    {
      name: "runtime",
      label: "Runtime",
      options: runtimes.map((value) => ({ value, label: runtimeLabel(value) })),
      isRare: true,
    },
    { name: "test", label: "Test", options: flagOptions("test"), isRare: true },
    { name: "standby", label: "Standby", options: flagOptions("standby"), isRare: true },
    { name: "drifted", label: "Drifted", options: flagOptions("drifted"), isRare: true },
  ];
}
