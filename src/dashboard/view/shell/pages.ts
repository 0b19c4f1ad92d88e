/** A page that every page links to. */
export interface PageLink {
  href: string;
  name: string;
  /** The key that opens the page after `g`. */
  key?: string;
  /** What else an operator may call it, for the palette. */
  also?: string;
}

/** All pages, in groups: what happens now, what arrived, what to repair, how it works. */
export const pageGroups: readonly { name: string; pages: readonly PageLink[] }[] = [
  {
    name: "Now",
    pages: [
      { href: "/dashboard", name: "Status", key: "s", also: "overview home health" },
      { href: "/dashboard/alerts", name: "Alerts", key: "a", also: "firing mute slack" },
    ],
  },
  {
    name: "Traffic",
    pages: [
      { href: "/dashboard/deliveries", name: "Deliveries", key: "d", also: "requests webhooks acks refused lost" },
      { href: "/dashboard/events", name: "Events", key: "e", also: "messages comments search" },
      { href: "/dashboard/handlers", name: "Handlers", key: "h", also: "failures errors retries" },
    ],
  },
  {
    name: "Repair",
    pages: [
      { href: "/dashboard/dead-letters", name: "Dead letters", key: "x", also: "given up failed groups" },
      { href: "/dashboard/replays", name: "Replays", key: "r", also: "retry again run" },
    ],
  },
  {
    name: "Insight",
    pages: [
      { href: "/dashboard/runtimes", name: "Edge and Node", also: "runtimes latency compare probes verdict" },
      { href: "/dashboard/drift", name: "Drift", also: "schema unknown fields" },
      { href: "/dashboard/diagnostics", name: "Diagnostics", also: "doctor checks experiment lifecycle" },
      { href: "/dashboard/audit", name: "Audit", also: "who changed history" },
    ],
  },
];

/** All pages in one list. */
export const pages: readonly PageLink[] = pageGroups.flatMap((group) => group.pages);
