import { Alert } from "@mantine/core";

import { formatCount } from "../../format.ts";
import text from "../text.module.css";

/** Says that some of what the page shows could not be read; nothing if all could. */
export function DamagedFigures({ count }: { count: number }) {
  if (count === 0) return null;
  const subject = count === 1 ? "1 stored figure is" : `${formatCount(count)} stored figures are`;
  return (
    <Alert
      role="status"
      color="yellow"
      variant="light"
      classNames={{ title: text["warning"] ?? "" }}
      title={`${subject} damaged`}
    >
      The counts include what is damaged; percentiles and histograms are of the rest. The log names the rows under{" "}
      <span className={text["mono"]}>figures.damaged</span>.
    </Alert>
  );
}
