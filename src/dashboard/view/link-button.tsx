"use client";

import { Button, type ButtonProps } from "@mantine/core";
import Link from "next/link";
import type { ReactNode } from "react";

/** Props of `LinkButton`. */
export interface LinkButtonProps extends Pick<ButtonProps, "size" | "variant"> {
  href: string;
  children: ReactNode;
}

/** A link that looks like a button: a server component cannot pass Next's link to Mantine's button. */
export function LinkButton({ href, children, size = "xs", variant = "filled" }: LinkButtonProps) {
  return (
    <Button component={Link} href={href} prefetch={false} size={size} variant={variant}>
      {children}
    </Button>
  );
}
