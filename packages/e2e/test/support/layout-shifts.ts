import type { Page } from "playwright-core";

/**
 * Before anything else runs in the page: keeps what the browser saw move without anyone having moved it. A text by itself is left out:
 * that is a figure that grew in a cell that stayed.
 */
const WATCH = `
  window.shifts = [];
  const keep = (entries) => {
    for (const { sources } of entries)
      for (const { node, previousRect, currentRect } of sources)
        if (node?.nodeType !== Node.TEXT_NODE) shifts.push((node?.className || node?.nodeName) + ": " +
          [previousRect, currentRect].map(({ x, y, width, height }) => [x, y, width, height].map(Math.round)).join(" to "));
  };
  window.shiftObserver = new PerformanceObserver((list) => keep(list.getEntries()));
  shiftObserver.observe({ type: "layout-shift", buffered: true });
  window.takeShifts = async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    keep(shiftObserver.takeRecords());
    return shifts.splice(0);
  };`;

/** Watches from the next page on. */
export async function watchLayoutShifts(page: Page): Promise<void> {
  await page.addInitScript(WATCH);
}

/** What moved since the last call: the elements, with where they were and where they went. */
export async function layoutShifts(page: Page): Promise<readonly string[]> {
  return await page.evaluate("takeShifts()");
}
