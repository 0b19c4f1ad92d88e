/** Where QStash calls maintenance, and delivers the steps of replays and the notices of alerts. */
export const maintenancePath = "/api/qstash/maintenance";
