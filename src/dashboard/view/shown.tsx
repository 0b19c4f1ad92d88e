import type { ReactNode } from "react";

import { RelayError } from "#platform/errors.ts";

import { BadAddress, Unavailable } from "./notices.tsx";
import text from "./text.module.css";

/** Props of `Shown`. */
export interface ShownProps<T> {
  found: T | RelayError;
  /** The heading of a page that shows nothing but what was found; without it the page has one of its own. */
  title?: string;
  /** Called for `NOT_FOUND`; leaves the page by throwing, as Next's `notFound` and `redirect` do. */
  onNotFound?: () => never;
  /** Whether the page reads again by itself. */
  retries?: boolean;
  children: (found: T) => ReactNode;
}

/** What was found, or why it cannot be read. */
export function Shown<T>({ found, title, onNotFound, retries, children }: ShownProps<T>) {
  if (!(found instanceof RelayError)) return children(found);
  if (found.code === "NOT_FOUND") onNotFound?.();
  return (
    <>
      {title !== undefined && <h1 className={text["pageTitle"]}>{title}</h1>}
      {found.code === "REQUEST_INVALID" ? (
        <BadAddress reason={found.message} />
      ) : (
        <Unavailable error={found} retries={retries} />
      )}
    </>
  );
}
