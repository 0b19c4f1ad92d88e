import { Group, Stack } from "@mantine/core";

import type { AlertsStatus, RuleStatus, ScopeStatus } from "#operations/alerts/read-alerts.ts";
import { RelayError } from "#platform/errors.ts";

import { CountsWhat } from "../list/counts-what.tsx";
import { Live } from "../live/live.tsx";
import { PageHead } from "../page-head.tsx";
import { Panel } from "../panel.tsx";
import { Shown } from "../shown.tsx";
import text from "../text.module.css";
import { FiringAlert } from "./firing-alert.tsx";
import { Receivers } from "./receivers.tsx";
import { RulesTable } from "./rules-table.tsx";

/** Props of `Alerts`. */
export interface AlertsProps {
  found: AlertsStatus | RelayError;
  nowMs: number;
}

/** The page of the rules: what fires, where it is sent, and every rule with its state. */
export function Alerts({ found, nowMs }: AlertsProps) {
  return (
    <>
      <Group justify="space-between" align="end" gap="14px 24px">
        <PageHead title="Alerts" hint="Rules about the relay's condition, and the messages that they send" />
        <Live list="alerts" nowMs={nowMs} />
      </Group>
      <Shown found={found}>
        {(status) => {
          const firing = status.rules.flatMap(firingOf);
          return (
            <>
              <Panel id="firing" title={firing.length === 0 ? "Nothing fires" : `Firing: ${firing.length}`}>
                {firing.length === 0 ? (
                  <p className={text["nothing"]}>No rule fires.</p>
                ) : (
                  <Stack gap={0}>
                    {firing.map(({ rule, scope }) => (
                      <FiringAlert key={`${rule.rule} ${scope.scope}`} rule={rule} scope={scope} nowMs={nowMs} />
                    ))}
                  </Stack>
                )}
              </Panel>
              <Receivers status={status} nowMs={nowMs} />
              <Panel id="rules" title="Rules">
                <RulesTable rules={status.rules} nowMs={nowMs} />
              </Panel>
            </>
          );
        }}
      </Shown>
      <CountsWhat>
        Maintenance judges every rule each five minutes, and the report of a lost or refused delivery at once. A message
        is sent when a rule begins to fire, when it becomes worse, and when it is over; one reminder follows after four
        hours unless it is acknowledged or muted. <b>Unknown</b> facts change nothing. If maintenance does not run, the
        rules are judged with the reports of deliveries; without deliveries either, only this page, the status page and{" "}
        <code>/api/health</code> show it.
      </CountsWhat>
    </>
  );
}

/** The scopes of a rule that fire; a rule without scopes is its own. */
function firingOf(rule: RuleStatus): { rule: RuleStatus; scope: ScopeStatus & { href: string } }[] {
  const scopes = rule.scopes.length > 0 ? rule.scopes : [{ ...rule, scope: "" }];
  return scopes.filter(({ state }) => state === "firing" || state === "acknowledged").map((scope) => ({ rule, scope }));
}
