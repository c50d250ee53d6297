import { randomUUID } from "node:crypto";
import { freePort, patiently, waitFor } from "@push-reports/test-support";
import { type Browser, chromium, type Page } from "playwright-core";
import { StandaloneDeployment } from "./standalone-deployment.js";

type Report = Readonly<Record<string, unknown>> & { readonly publishId: string };

/** How long the browser is waited for, ms: as long as Playwright does by itself on a fast machine. */
const BROWSER_TIMEOUT_MS = 30_000;
/** A desktop's screen. */
const DESKTOP = { width: 1_280, height: 900 };

/** A standalone with the insights page, an instance of its own, and a browser to look at it. */
export class InsightsInBrowser {
  readonly instanceId = randomUUID();
  /** Where the page is. */
  readonly url: string;
  readonly standalone: StandaloneDeployment;
  readonly #browser: Browser;

  private constructor(url: string, standalone: StandaloneDeployment, browser: Browser) {
    this.url = url;
    this.standalone = standalone;
    this.#browser = browser;
  }

  /** @param executablePath Chromium. */
  static async start(executablePath: string): Promise<InsightsInBrowser> {
    const port = await freePort();
    const standalone = await StandaloneDeployment.start({ INSIGHTS_PORT: String(port) });
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return new InsightsInBrowser(`http://127.0.0.1:${port}`, standalone, browser);
  }

  /** The address of the instance. @param query more of it, e.g. `&publish=pubid-1`. */
  addressOf(query = ""): string {
    return `${this.url}/?instance=${this.instanceId}${query}`;
  }

  /** An empty page in a context of its own. */
  async newPage(viewport: { readonly width: number; readonly height: number } = DESKTOP) {
    const context = await this.#browser.newContext({ viewport });
    context.setDefaultTimeout(patiently(BROWSER_TIMEOUT_MS));
    return await context.newPage();
  }

  /** Sends a report of the instance: a delivery that could be opened, now, unless it says otherwise. */
  async send(report: Report): Promise<void> {
    const status = await this.standalone.report(this.instanceId, {
      event: "delivery",
      deviceId: "web-1",
      timestampSecs: Math.floor(Date.now() / 1_000),
      appInBackground: true,
      hasDisplayableContent: true,
      ...report,
    });
    if (status !== 200) throw new Error(`A report was answered ${status}`);
  }

  /** Waits until so many reports are rows. */
  async untilReceived(rows: number): Promise<void> {
    const sql = `SELECT count() AS n FROM ${this.standalone.reports}`;
    const received = async () => {
      const [row] = await this.standalone.rows<{ n: number | string }>(sql);
      return Number(row?.n);
    };
    await waitFor(async () => (await received()) === rows, { what: `${rows} rows` });
  }

  async dispose(): Promise<void> {
    await this.#browser.close();
    await this.standalone.dispose();
  }
}

/** Resolves once a page has its first figures: until then what it shows moves as they arrive, and a click may land beside its link. */
export async function untilSettled(page: Page): Promise<void> {
  try {
    await page.locator("main[aria-busy=false]").waitFor();
  } catch (cause) {
    const shown = await page.evaluate(
      `JSON.stringify({
        visibility: document.visibilityState,
        freshness: document.getElementById("freshness").textContent,
        panels: [...document.querySelectorAll("main section")].map((panel) => [panel.ariaLabel, panel.innerText.slice(0, 80)]),
        got: performance.getEntriesByType("resource").map(({ name, startTime, duration }) => [name.slice(20, 60), startTime, duration]),
      })`,
    );
    throw new Error(`The page does not settle: ${shown}`, { cause });
  }
}
