/**
 * Puts a text on the clipboard. Over plain http browsers have no clipboard for scripts, but their own command to copy what
 * is selected. Rejects if neither works.
 */
export async function copyText(words: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    copySelected(words);
  }
}

function copySelected(words: string): void {
  const area = document.createElement("textarea");
  area.value = words;
  area.setAttribute("aria-hidden", "true");
  area.style.position = "fixed";
  area.style.opacity = "0";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!isCopied) throw new Error("The browser did not copy");
}
