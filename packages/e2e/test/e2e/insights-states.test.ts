import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import type { Page } from "playwright-core";
import { describeWithChromium } from "../support/describe-with-chromium.js";
import { importPublishes } from "../support/import-publishes.js";
import { InsightsInBrowser, untilSettled } from "../support/insights-in-browser.js";

/** Ids and titles of the campaigns, which are in different orders. */
const TITLES = { "pubid-1": "Cherries", "pubid-2": "Apples", "pubid-3": "Bananas" };

describeWithChromium("The insights page to who sees it for the first time", (executablePath) => {
  let insights: InsightsInBrowser;
  let page: Page;

  beforeAll(async () => {
    insights = await InsightsInBrowser.start(executablePath);
    const { instanceId } = insights;
    await Promise.all(Object.keys(TITLES).map((publishId) => insights.send({ publishId })));
    await insights.untilReceived(Object.keys(TITLES).length);
    await importPublishes(
      insights.standalone,
      Object.entries(TITLES).map(([publishId, title]) => {
        return { instanceId, publishId, title, recipients: 10 };
      }),
    );
  });

  afterEach(async () => {
    await page?.context().close();
  });

  afterAll(async () => {
    await insights?.dispose();
  });

  async function open(address: string, width = 1_280): Promise<void> {
    page = await insights.newPage({ width, height: 900 });
    await page.goto(address);
    await untilSettled(page);
  }

  it("sorts publishes by what it shows as their names", async () => {
    await open(insights.addressOf());
    await page.getByRole("link", { name: "Publish", exact: true }).click();
    await page.getByRole("link", { name: "Publish", exact: true }).click();
    const names = async () =>
      (await page.locator("table.publishes tbody a").allInnerTexts()).join(" ");
    await waitFor(async () => (await names()) === "Apples Bananas Cherries", { what: "the order" });
  });

  it.each([360, 760, 1_024, 1_280])(
    "shows each column of the list on a screen %i pixels wide",
    async (width) => {
      await open(insights.addressOf(), width);
      const right = `Math.max(...[...document.querySelectorAll("table.publishes :is(td, th)")].map((cell) => cell.getBoundingClientRect().right))`;
      const list = `document.querySelector("table.publishes").parentElement.getBoundingClientRect().right`;
      expect(await page.evaluate(`${right} - ${list}`)).toBeLessThanOrEqual(0.5);
      const cut = `[...document.querySelectorAll("table.publishes :is(td, th, a)")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0).map((cell) => cell.textContent)`;
      expect(await page.evaluate(cut)).toEqual([]);
    },
  );

  it("breaks no word of a publish's numbers on a phone", async () => {
    await open(insights.addressOf("&publish=pubid-1"), 360);
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
    await open(insights.addressOf("&publish=pubid-1"));
    const room = `(() => {
      const plot = document.querySelector(".u-over").getBoundingClientRect();
      const drawing = document.querySelector(".uplot canvas").getBoundingClientRect();
      return drawing.right - plot.right;
    })()`;
    expect(await page.evaluate(room)).toBeGreaterThanOrEqual(30);
  });

  it("says so in a chart that has nothing to show", async () => {
    await open(insights.addressOf("&publish=pubid-none"));
    await page.getByText("No report of this publish has come in. Look for it").waitFor();
    await page.getByRole("region", { name: "Timeline" }).getByText("No reports here").waitFor();
  });

  it("says what to do when the address names no instance", async () => {
    await open(`${insights.url}/?instance=none`);
    await page.getByText("Choose one above").first().waitFor();
    await page.getByLabel("Instance").selectOption(insights.instanceId);
    await page.getByRole("link", { name: "Apples" }).waitFor();
  });

  it("offers no time for a publish, whose figures are of all its time", async () => {
    await open(insights.addressOf("&publish=pubid-2"));
    expect(await page.getByLabel("Time of receipt").isVisible()).toBe(false);
    expect(await page.title()).toBe("Apples – Push reports");
    await page.goBack();
    await page.goto(insights.addressOf());
    expect(await page.getByLabel("Time of receipt").isVisible()).toBe(true);
  });

  it("says that a time cannot end before it begins", async () => {
    await open(insights.addressOf("&from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z"));
    await page.getByLabel("To", { exact: true }).fill("2026-01-01T00:00");
    await page.getByLabel("To", { exact: true }).blur();
    const said = `[...document.querySelectorAll("input")].map((field) => field.validationMessage).join("")`;
    await waitFor(async () => (await page.evaluate(said)) === "From must be before To.", {
      what: "what is wrong",
    });
  });

  it("says the zone of its times", async () => {
    await open(insights.addressOf());
    expect(await page.locator("#freshness").textContent()).toMatch(/^Complete up to .* (UTC|GMT)/);
  });

  it("asks again by itself for a time that is over, when its server was away", async () => {
    await open(insights.addressOf("&from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z"));
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
});
