import Link from "next/link";

import { formatCount } from "../../format.ts";

/** A count that leads to what it counts; nothing has no list. */
export function CountLink({ count, href }: { count: number; href: string }) {
  if (count === 0) return "0";
  return (
    <Link href={href} prefetch={false}>
      {formatCount(count)}
    </Link>
  );
}
