/** Where the keys of a page move the focus. */

/** Whether keys belong to what has the focus: a field that is typed into, or a dialog. */
export function isTyping(target: EventTarget | null): boolean {
  const fields = "input, textarea, select, [contenteditable], [role=dialog]";
  return target instanceof Element && target.closest(fields) !== null;
}

/** Puts the focus into the find box; false if it has no room on this screen. */
export function focusFind(): boolean {
  const box = document.querySelector<HTMLInputElement>("input[data-find]");
  if (box === null || !box.checkVisibility()) return false;
  box.focus();
  box.select();
  return true;
}

/** Moves the focus by so many rows of the page's lists; false if there are none. A row is reached by its first link. */
export function focusRow(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll("main tbody tr, main [data-rows] > *")].filter(
    (row) => row.querySelector("a[href]") !== null,
  );
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  // From outside, `j` reaches the first row and `k` the last one.
  const to = at === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  const link = rows[to]?.querySelector<HTMLElement>("a[href]");
  // Chromium shows the focus if a key moved it.
  link?.focus();
  return link !== undefined && link !== null;
}

/** Closes the menus of the header and gives the focus back to what opened them; false if none was open. */
export function closeMenus(): boolean {
  const open = [...document.querySelectorAll<HTMLDetailsElement>("details[data-closes][open]")];
  for (const menu of open) {
    menu.open = false;
    if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
  }
  return open.length > 0;
}
