import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import type { Page } from "playwright-core";
import { describeWithChromium } from "../support/describe-with-chromium.js";
import { HeldAnswers } from "../support/held-answers.js";
import { importPublishes } from "../support/import-publishes.js";
import { InsightsInBrowser, untilSettled } from "../support/insights-in-browser.js";
import { layoutShifts, watchLayoutShifts } from "../support/layout-shifts.js";

const SCREENS = {
  desktop: { width: 1_280, height: 900 },
  phone: { width: 360, height: 740 },
} as const;

/** Questions of each view and the panels that show their answers. */
const LIST = {
  overview: "Overview",
  publishes: "Publishes",
  instance_hours: "By hour",
  clients: "Clients",
};
const PUBLISH = {
  publish: "Funnel",
  publish_timeline: "Timeline",
  time_to_open: "Time to open",
  publish_clients: "Clients",
};
const PUBLISHES = 30;

describeWithChromium("The insights page", (executablePath) => {
  let insights: InsightsInBrowser;
  let page: Page;

  beforeAll(async () => {
    insights = await InsightsInBrowser.start(executablePath);
    const { instanceId } = insights;
    for (let n = 0; n < PUBLISHES; n += 1) await insights.send({ publishId: `pubid-${n}` });
    await insights.send({ publishId: "pubid-0", event: "open" });
    await insights.untilReceived(PUBLISHES + 1);
    await importPublishes(insights.standalone, [
      { instanceId, publishId: "pubid-0", recipients: 2, title: "With a title" },
    ]);
  });

  afterEach(async () => {
    await page?.context().close();
  });

  afterAll(async () => {
    await insights?.dispose();
  });

  async function openPage(screen: keyof typeof SCREENS): Promise<void> {
    page = await insights.newPage(SCREENS[screen]);
    await watchLayoutShifts(page);
  }

  describe.each(["desktop", "phone"] as const)("on a %s", (screen) => {
    it.each([
      ["list", LIST, Object.keys(LIST)],
      ["list", LIST, Object.keys(LIST).reverse()],
      ["publish", PUBLISH, Object.keys(PUBLISH)],
      ["publish", PUBLISH, Object.keys(PUBLISH).reverse()],
    ] as const)(
      "does not move what is seen of a %s while its figures come",
      async (kind, panels, order) => {
        await openPage(screen);
        const answers = await HeldAnswers.of(page, order);
        const publish = kind === "publish" ? "&publish=pubid-0" : "";
        await page.goto(insights.addressOf(publish));
        await answers.untilAsked();
        for (const name of order) {
          answers.release(name);
          const title = (panels as Record<string, string>)[name] ?? "";
          const sql = page.locator(`section[aria-label="${title}"] pre code`, {
            hasText: "SELECT",
          });
          await sql.waitFor({ state: "attached" });
          expect([name, await layoutShifts(page)]).toEqual([name, []]);
        }
      },
    );
  });

  it("keeps place, focus and rows where they are while it refreshes itself under traffic", async () => {
    await openPage("desktop");
    await page.goto(insights.addressOf());
    await untilSettled(page);
    const row = page.getByRole("row", { name: "pubid-7 " });
    const link = row.getByRole("link");
    await page.mouse.wheel(0, 300);
    await waitFor(async () => (await scrollY()) > 0, { what: "a scrolled page" });
    await link.hover();
    await page.keyboard.press("Tab");
    await link.focus();
    await page.evaluate(
      "window.focused = document.activeElement; getSelection().selectAllChildren(focused)",
    );
    const place = await scrollY();
    await layoutShifts(page);

    await insights.send({ publishId: "pubid-new" });
    for (let n = 2; n < 1_200; n += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, k) =>
          insights.send({ publishId: "pubid-7", deviceId: `web-${n + k}` }),
        ),
      );
    await row.getByText("1,201", { exact: true }).first().waitFor();
    expect(await layoutShifts(page)).toEqual([]);
    expect(await scrollY()).toBe(place);
    expect(await page.evaluate("document.activeElement === window.focused")).toBe(true);
    expect(await page.evaluate("getSelection().toString()")).toBe("pubid-7");

    expect(await page.getByRole("link", { name: "pubid-new" }).count()).toBe(0);
    await page.getByRole("button", { name: "Show new order" }).click();
    await page.getByRole("link", { name: "pubid-new" }).waitFor();
  });

  it("shows new rows by itself to who neither points at the list nor goes through it", async () => {
    await openPage("desktop");
    await page.goto(insights.addressOf());
    await untilSettled(page);
    await insights.send({ publishId: "pubid-newer" });
    await page.getByRole("link", { name: "pubid-newer" }).waitFor();
  });

  it("keeps what is being chosen, read sideways or typed at a refresh", async () => {
    await openPage("phone");
    await page.goto(insights.addressOf());
    await untilSettled(page);
    const clients = `document.querySelector("section[aria-label=Clients] .panel-body .scroller")`;
    await page.evaluate(`${clients}.scrollLeft = 100`);
    await page.getByLabel("Instance").focus();
    await page.evaluate("window.chosen = document.activeElement");
    // The SQL holds the time that the page asks for: another one is there with the next figures.
    const sql = page.locator("section[aria-label=Clients] pre code");
    const before = await sql.textContent();
    await waitFor(async () => (await sql.textContent()) !== before, { what: "a refresh" });
    expect(await page.evaluate(`${clients}.scrollLeft`)).toBe(100);
    expect(await page.evaluate("chosen.isConnected && document.activeElement === chosen")).toBe(
      true,
    );
  });

  it("stays at the list when its order changes, on a phone", async () => {
    await openPage("phone");
    await page.goto(insights.addressOf());
    await untilSettled(page);
    const sort = page.getByRole("link", { name: "Open rate" });
    await sort.scrollIntoViewIfNeeded();
    const place = await scrollY();
    expect(place).toBeGreaterThan(0);
    await sort.click();
    await page.locator("th[aria-sort=descending]", { hasText: "Open rate" }).waitFor();
    expect(await scrollY()).toBe(place);
  });

  it("comes back to where the list was left, with what was searched for", async () => {
    await openPage("desktop");
    await page.goto(insights.addressOf("&q=pubid&sort=publish_id"));
    await untilSettled(page);
    const link = page.getByRole("row", { name: "pubid-15 " }).getByRole("link");
    await link.scrollIntoViewIfNeeded();
    const place = await scrollY();
    expect(place).toBeGreaterThan(0);
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "pubid-15" }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await waitFor(async () => (await page.title()).startsWith("pubid-15 "), { what: "its title" });
    await page.goBack();
    await link.waitFor();
    expect(await scrollY()).toBe(place);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("pubid-15");
    expect(await page.getByLabel("Search").inputValue()).toBe("pubid");
    await page.getByLabel("Search").fill("pubid-1");
    await page.waitForURL(/q=pubid-1&/);
    await page.goBack();
    await waitFor(async () => (await page.getByLabel("Search").inputValue()) === "pubid", {
      what: "the search before",
    });
  });

  it("leads back from a page that the list does not have", async () => {
    await openPage("desktop");
    await page.goto(insights.addressOf("&page=9"));
    await page.getByText("The list has no page 9").waitFor();
    await page.getByRole("link", { name: "Go to its first page" }).click();
    await page.getByRole("row", { name: "pubid-7 " }).waitFor();
  });

  const scrollY = async () => (await page.evaluate("scrollY")) as number;
});
