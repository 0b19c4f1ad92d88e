"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

import styles from "./page-nav.module.css";
import { pageGroups } from "./pages.ts";

/** Links to the dashboard's pages: a row, or a menu where the row has no room. CSS shows one of the two. */
export function PageNav() {
  return (
    <nav aria-label="Pages" className={styles["row"]}>
      <Groups />
    </nav>
  );
}

/** The same links in a menu that opens; it works without JavaScript. */
export function PageMenu() {
  // The key closes the menu after a choice.
  return (
    <details key={usePathname()} className={styles["menu"]} data-closes>
      <summary>Menu</summary>
      <nav aria-label="Pages" className={styles["panel"]}>
        <Groups />
      </nav>
    </details>
  );
}

function Groups() {
  const path = usePathname();
  return pageGroups.map(({ name, pages }) => (
    <ul key={name} aria-label={name} className={styles["group"]}>
      {pages.map(({ href, name: page }) => (
        <li key={href}>
          <Link href={href} prefetch={false} aria-current={currentOf(path, href)}>
            {page}
          </Link>
        </li>
      ))}
    </ul>
  ));
}

/** The page itself is current, and so is the list above a page of one thing. */
function currentOf(path: string, href: string): "page" | "true" | undefined {
  if (path === href) return "page";
  return href !== "/dashboard" && path.startsWith(`${href}/`) ? "true" : undefined;
}
