import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { freePort, waitFor } from "@push-reports/test-support";
import { type Browser, chromium, type Page } from "playwright-core";
import { describeWithChromium } from "../support/describe-with-chromium.js";
import { importPublishes } from "../support/import-publishes.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

/** Ids and titles of the campaigns, which are in different orders. */
const TITLES = { "pubid-1": "Cherries", "pubid-2": "Apples", "pubid-3": "Bananas" };

describeWithChromium("The insights page to who sees it for the first time", (executablePath) => {
  const instanceId = randomUUID();
  let standalone: StandaloneDeployment;
  let insights: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const port = await freePort();
    insights = `http://localhost:${port}`;
    standalone = await StandaloneDeployment.start({ INSIGHTS_PORT: String(port) });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    await Promise.all(Object.keys(TITLES).map(send));
    await waitFor(async () => (await received()) === Object.keys(TITLES).length, { what: "rows" });
    await importPublishes(
      standalone,
      Object.entries(TITLES).map(([publishId, title]) => {
        return { instanceId, publishId, title, recipients: 10 };
      }),
    );
  });

  afterEach(async () => {
    await page?.context().close();
  });

  afterAll(async () => {
    await browser?.close();
    await standalone?.dispose();
  });

  async function open(path: string, width = 1_280): Promise<void> {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    page = await context.newPage();
    await page.goto(`${insights}${path}`);
    await page.locator("main[aria-busy=false]").waitFor();
  }

  it("sorts publishes by what it shows as their names", async () => {
    await open(`/?instance=${instanceId}`);
    await page.getByRole("link", { name: "Publish", exact: true }).click();
    await page.getByRole("link", { name: "Publish", exact: true }).click();
    const names = async () =>
      (await page.locator("table.publishes tbody a").allInnerTexts()).join(" ");
    await waitFor(async () => (await names()) === "Apples Bananas Cherries", { what: "the order" });
  });

  it.each([360, 760, 1_024, 1_280])(
    "shows each column of the list on a screen %i pixels wide",
    async (width) => {
      await open(`/?instance=${instanceId}`, width);
      const right = `Math.max(...[...document.querySelectorAll("table.publishes :is(td, th)")].map((cell) => cell.getBoundingClientRect().right))`;
      const list = `document.querySelector("table.publishes").parentElement.getBoundingClientRect().right`;
      expect(await page.evaluate(`${right} - ${list}`)).toBeLessThanOrEqual(0.5);
      const cut = `[...document.querySelectorAll("table.publishes :is(td, th, a)")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0).map((cell) => cell.textContent)`;
      expect(await page.evaluate(cut)).toEqual([]);
    },
  );

  it("breaks no word of a publish's numbers on a phone", async () => {
    await open(`/?instance=${instanceId}&publish=pubid-1`, 360);
    const panel = page.getByRole("region", { name: "Funnel" });
    await panel.getByText("Numbers", { exact: true }).click();
    await panel.getByRole("cell", { name: "Cherries" }).waitFor();
    const lines = `(() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector("section[aria-label=Funnel] details td"));
      return range.getClientRects().length;
    })()`;
    expect(await page.evaluate(lines)).toBe(1);
  });

  it("leaves the labels of a chart's times their room", async () => {
    await open(`/?instance=${instanceId}&publish=pubid-1`);
    const room = `(() => {
      const plot = document.querySelector(".u-over").getBoundingClientRect();
      const drawing = document.querySelector(".uplot canvas").getBoundingClientRect();
      return drawing.right - plot.right;
    })()`;
    expect(await page.evaluate(room)).toBeGreaterThanOrEqual(30);
  });

  it("says so in a chart that has nothing to show", async () => {
    await open(`/?instance=${instanceId}&publish=pubid-none`);
    await page.getByText("No report of this publish has come in. Look for it").waitFor();
    await page.getByRole("region", { name: "Timeline" }).getByText("No reports here").waitFor();
  });

  it("says what to do when the address names no instance", async () => {
    await open("/?instance=none");
    await page.getByText("Choose one above").first().waitFor();
    await page.getByLabel("Instance").selectOption(instanceId);
    await page.getByRole("link", { name: "Apples" }).waitFor();
  });

  it("offers no time for a publish, whose figures are of all its time", async () => {
    await open(`/?instance=${instanceId}&publish=pubid-2`);
    expect(await page.getByLabel("Time of receipt").isVisible()).toBe(false);
    expect(await page.title()).toBe("Apples – Push reports");
    await page.goBack();
    await page.goto(`${insights}/?instance=${instanceId}`);
    expect(await page.getByLabel("Time of receipt").isVisible()).toBe(true);
  });

  it("says that a time cannot end before it begins", async () => {
    await open(`/?instance=${instanceId}&from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z`);
    await page.getByLabel("To", { exact: true }).fill("2026-01-01T00:00");
    await page.getByLabel("To", { exact: true }).blur();
    const said = `[...document.querySelectorAll("input")].map((field) => field.validationMessage).join("")`;
    await waitFor(async () => (await page.evaluate(said)) === "From must be before To.", {
      what: "what is wrong",
    });
  });

  it("says the zone of its times", async () => {
    await open(`/?instance=${instanceId}`);
    expect(await page.locator("#freshness").textContent()).toMatch(/^Complete up to .* (UTC|GMT)/);
  });

  it("asks again by itself for a time that is over, when its server was away", async () => {
    await open(`/?instance=${instanceId}&from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z`);
    await page.route("**/api/questions/*", (route) => route.abort());
    await page.getByLabel("Time of receipt").selectOption("1h");
    await page.getByText("cannot be reached").first().waitFor();
    const failed = page.waitForEvent("requestfailed", (request) =>
      request.url().includes("instances?from=2026-01-02"),
    );
    await page.goBack();
    await failed;
    await page.unroute("**/api/questions/*");
    await page.getByText("Complete up to").waitFor();
  });

  const received = async () => {
    const sql = `SELECT count() AS n FROM ${standalone.reports}`;
    const [row] = await standalone.rows<{ n: number | string }>(sql);
    return Number(row?.n);
  };

  async function send(publishId: string): Promise<void> {
    const answer = await fetch(
      `${standalone.url}/reporting_api/v2/instances/${instanceId}/events`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          event: "delivery",
          publishId,
          deviceId: "web-1",
          timestampSecs: Math.floor(Date.now() / 1_000),
          appInBackground: true,
          hasDisplayableContent: true,
        }),
      },
    );
    expect(answer.status).toBe(200);
  }
});
