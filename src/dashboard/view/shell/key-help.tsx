"use client";

import { Kbd, Modal, Table } from "@mantine/core";
import { Fragment } from "react";

import { usePreferences } from "../preferences.tsx";
import text from "../text.module.css";
import { keys } from "./key-actions.ts";

/** The keys and what they do. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const { hasKeys } = usePreferences();
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" centered closeButtonProps={{ "aria-label": "Close" }}>
      <Table verticalSpacing={6} withRowBorders={false}>
        <tbody>
          {keys.map(({ keys: pressed, does, isChoice = false }) => (
            <tr key={does}>
              <th scope="row">
                {pressed.map((key, index) => (
                  <Fragment key={key}>
                    {index > 0 && (isChoice ? " or " : " then ")}
                    <Kbd>{key}</Kbd>
                  </Fragment>
                ))}
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      <p className={text["pageHint"]}>
        {hasKeys
          ? "Single keys act outside of fields only. The account menu switches them off."
          : "Single keys are switched off. The account menu switches them on."}
      </p>
    </Modal>
  );
}
