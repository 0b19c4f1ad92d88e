import { TextInput } from "@mantine/core";
import Link from "next/link";

import { questionLengthMax } from "../../find/find-question.ts";
import styles from "./shell.module.css";

/** Takes any id and leads to what has it; where there is no room for the box, a link to the page with it. */
export function FindBox() {
  return (
    <>
      <search className={styles["find"]}>
        <form method="get" action="/dashboard/find">
          <TextInput
            size="xs"
            type="search"
            name="q"
            required
            maxLength={questionLengthMax}
            aria-label="Find by id"
            placeholder="Find any id   /"
            classNames={{ input: styles["findInput"] ?? "" }}
            data-find
          />
        </form>
      </search>
      <Link href="/dashboard/find" prefetch={false} className={styles["findLink"]}>
        Find
      </Link>
    </>
  );
}
