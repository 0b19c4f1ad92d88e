import type axe from "axe-core";
import { source } from "axe-core";
import type { Page } from "playwright-core";

/** The rules of WCAG 2.2 AA and axe's best practices that a page violates as it looks now, with the elements. */
export async function findViolations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(source);
  const { violations } = await page.evaluate(async () =>
    // What passes is not listed: that would take longer than the search.
    (window as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
