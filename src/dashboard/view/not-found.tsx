import { Text, Title } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

/** Props of `NotFound`. */
export interface NotFoundProps {
  title: string;
  /** The list in which what exists can be found. */
  back: { href: string; name: string };
  /** Why there may be nothing. */
  children: ReactNode;
}

/** What a page of one thing shows where nothing has the id in its address. */
export function NotFound({ title, back, children }: NotFoundProps) {
  return (
    <>
      <Title order={1} size="h3">
        {title}
      </Title>
      <Text size="sm">{children}</Text>
      <Link href={back.href} prefetch={false}>
        ← {back.name}
      </Link>
    </>
  );
}
