"use client";

import { Kbd, Modal, Table } from "@mantine/core";
import { Fragment } from "react";

import { usePreferences } from "../preferences.tsx";
import text from "../text.module.css";
import { keys } from "./key-actions.ts";

/** The keys and what they do. */
export function KeyHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { hasKeys } = usePreferences();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keyboard shortcuts"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Table verticalSpacing={6} withRowBorders={false} fz="sm" mb={10}>
        <Table.Tbody>
          {keys.map(({ keys: pressed, does, isChoice = false }) => (
            <Table.Tr key={does}>
              <Table.Th scope="row" fw={400}>
                {pressed.map((key, index) => (
                  <Fragment key={key}>
                    {index > 0 && (isChoice ? " or " : " then ")}
                    <Kbd>{key}</Kbd>
                  </Fragment>
                ))}
              </Table.Th>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p className={text["hint"]}>
        {hasKeys
          ? "Single keys act outside of fields only. The account menu switches them off."
          : "Single keys are switched off. The account menu switches them on."}
      </p>
    </Modal>
  );
}
