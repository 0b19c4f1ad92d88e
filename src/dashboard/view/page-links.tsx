"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

import styles from "./page-links.module.css";

const pages = [
  { href: "/dashboard", name: "Overview" },
  { href: "/dashboard/runtimes", name: "Edge and Node" },
  { href: "/dashboard/deliveries", name: "Deliveries" },
  { href: "/dashboard/diagnostics", name: "Diagnostics" },
];

/** Links to the dashboard's pages. */
export function PageLinks() {
  const path = usePathname();
  return (
    <nav aria-label="Pages" className={styles["pages"]}>
      {pages.map(({ href, name }) => (
        <Link key={href} href={href} prefetch={false} aria-current={href === path ? "page" : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  );
}
