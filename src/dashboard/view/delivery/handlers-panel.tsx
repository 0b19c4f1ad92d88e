import Link from "next/link";
import type { ReactNode } from "react";

import { describeHandling } from "../../events/describe-handling.ts";
import type { EventHandling } from "../../events/read-event-handling.ts";
import { HandlingMark } from "../badges.tsx";
import events from "./handlers-panel.module.css";
import { HandlerCalls } from "../handler-calls.tsx";
import pagers from "../pager.module.css";
import { Panel } from "../panel.tsx";
import text from "../text.module.css";

/** Props of `HandlersPanel`. */
export interface HandlersPanelProps {
  handlers: readonly EventHandling[];
  nowMs: number;
  /** Links to all such events; the panel shows the first hundred. */
  children: ReactNode;
}

/** The events whose handlers failed, or have not run yet, each with its calls. */
export function HandlersPanel({ handlers, nowMs, children }: HandlersPanelProps) {
  if (handlers.length === 0) return null;
  return (
    <Panel id="handlers" title="Handlers">
      {handlers.map((handling) => (
        <details key={handling.eventId} className={events["event"]} open={handlers.length === 1}>
          <summary>
            <span className={text["mono"]}>
              {handling.kind} {handling.eventId}
            </span>
            <HandlingMark state={handling.state}>{describeHandling(handling, nowMs)}</HandlingMark>
          </summary>
          <div className={events["inside"]}>
            <Link href={`/dashboard/events/${handling.eventId}`} prefetch={false}>
              Event {handling.eventId}
            </Link>
          </div>
          {handling.calls.length === 0 ? (
            <p className={text["nothing"]}>No call of its handler is recorded.</p>
          ) : (
            <div className={events["inside"]}>
              <HandlerCalls calls={handling.calls} of={`event ${handling.eventId}`} nowMs={nowMs} />
            </div>
          )}
        </details>
      ))}
      <nav aria-label="Events by their state" className={pagers["pager"]}>
        {children}
      </nav>
    </Panel>
  );
}
