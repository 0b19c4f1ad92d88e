"use client";

import { Button, Group, NativeSelect } from "@mantine/core";
import Link from "next/link";
import { useState } from "react";

import { formatMs } from "../../format.ts";
import { Confirm } from "../confirm.tsx";
import { useRefusal } from "../holder.tsx";
import text from "../text.module.css";
import { useAct } from "../use-act.ts";

/** What is sent: an invented event of one of the kinds, or a stored event again. */
export type SendTestDeliveryProps =
  | { kinds: readonly string[]; eventId?: undefined }
  | { kinds?: undefined; eventId: number };

interface Sent {
  deliveryId: string | null;
  ackMs: number;
}

/** Signs a delivery on the server and posts it to the webhook, marked as a test; says how it was answered. */
export function SendTestDelivery({ kinds, eventId }: SendTestDeliveryProps) {
  const [kind, setKind] = useState(kinds?.[0] ?? "");
  const [to, setTo] = useState("edge");
  const [asks, setAsks] = useState(false);
  const refusal = useRefusal();
  const { act, pending, error, result } = useAct<Sent>();
  const isOff = pending || refusal !== null;
  const label = eventId === undefined ? "Send a test" : "Send again as a test";
  const run = async () => {
    const what = eventId === undefined ? { kind } : { eventId };
    if ((await act({ path: "/api/ops/test-deliveries", body: { ...what, to } })) !== null) setAsks(false);
  };
  const click = () => {
    if (isOff) return;
    if (eventId === undefined) void run();
    else setAsks(true);
  };
  return (
    <Group gap="8px 10px" align="end">
      {kinds !== undefined && (
        <NativeSelect
          size="xs"
          label="Kind"
          data={[...kinds]}
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value)}
        />
      )}
      <NativeSelect
        size="xs"
        label="Runtime"
        data={[
          { value: "edge", label: "Edge" },
          { value: "node", label: "Node" },
        ]}
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      {/* Not `disabled`: a disabled button loses the focus. */}
      <Button
        size="xs"
        variant="default"
        onClick={click}
        data-disabled={isOff}
        aria-disabled={isOff || undefined}
        title={refusal ?? undefined}
        aria-description={refusal ?? undefined}
      >
        {pending ? "Sending" : label}
      </Button>
      {/* Always there, because a screen reader announces only what changes in an element that it knows. */}
      <span role="status" className={error === null ? text["dimmed"] : text["failure"]}>
        {error ?? (result !== null && !pending && <Answered {...result} />)}
      </span>
      {eventId !== undefined && (
        <Confirm
          opened={asks}
          title="Send this event again as a test?"
          sentence="A new delivery with the same data is signed and sent to the webhook. The stored event stays as it is. Handlers run with event.test set: one that ignores it answers the person again."
          action="Send"
          pending={pending}
          error={error}
          onConfirm={() => void run()}
          onClose={() => setAsks(false)}
        />
      )}
    </Group>
  );
}

function Answered({ deliveryId, ackMs }: Sent) {
  const answer = `Acknowledged in ${formatMs(ackMs)}`;
  if (deliveryId === null) return answer;
  return (
    <>
      {answer}: <Link href={`/dashboard/deliveries/${deliveryId}`}>the delivery</Link>
    </>
  );
}
