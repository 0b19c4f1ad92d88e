import Link from "next/link";

import { formatInstant } from "../../format.ts";
import { type ListAddress, listHref } from "../../lists/list-request.ts";
import pagers from "../pager.module.css";

/** Props of `Pager`. */
export interface PagerProps extends ListAddress {
  /** What the list has, for its name: `events`. */
  list: string;
  /** Whether the page is not the newest one. */
  older: boolean;
  nextCursor: string | null;
  /** Where the page ended because enough was looked at; null or absent if it is full. */
  scannedTo?: string | null | undefined;
  zone: string;
}

/** Leads to the newest page and to the next older one, or goes on with a search that looked at enough. */
export function Pager({ list, older, nextCursor, scannedTo = null, zone, ...address }: PagerProps) {
  if (!older && nextCursor === null) return null;
  return (
    <nav aria-label={`Pages of ${list}`} className={pagers["pager"]}>
      {older && (
        <Link href={listHref(address)} prefetch={false}>
          Newest
        </Link>
      )}
      {nextCursor !== null && (
        <Link href={listHref(address, nextCursor)} prefetch={false} rel="next">
          {scannedTo === null ? "Older" : `Search on, before ${formatInstant(scannedTo, zone)}`}
        </Link>
      )}
    </nav>
  );
}
