/** What the reader has under way: a dialog, an opened row, a ticked row, the focus in a list or a form. */
const inUse = [
  "[role=dialog]",
  "main section details[open]",
  "main table input:checked",
  "main :is(table, form):focus-within",
  "[data-closes][open]",
].join(", ");

/** Whether the page may change by itself: it is at its top, and nothing on it is selected, open or focused. */
export function isUntouched(): boolean {
  const selection = document.getSelection();
  const hasSelection = selection !== null && !selection.isCollapsed;
  return window.scrollY < 40 && !hasSelection && document.querySelector(inUse) === null;
}
