import type { ReactNode } from "react";

import { RelayError } from "#platform/errors.ts";

import { BadAddress, Unavailable } from "./notices.tsx";

/** Props of `Shown`. */
export interface ShownProps<T> {
  found: T | RelayError;
  /** Called for `NOT_FOUND`; leaves the page by throwing, as Next's `notFound` and `redirect` do. */
  onNotFound?: () => never;
  /** Whether the page reads again by itself. */
  retries?: boolean;
  children: (found: T) => ReactNode;
}

/** What was found, or why it cannot be read. */
export function Shown<T>({ found, onNotFound, retries, children }: ShownProps<T>) {
  if (!(found instanceof RelayError)) return children(found);
  if (found.code === "NOT_FOUND") onNotFound?.();
  if (found.code === "REQUEST_INVALID") return <BadAddress reason={found.message} />;
  return <Unavailable reason={found.message} retries={retries} />;
}
