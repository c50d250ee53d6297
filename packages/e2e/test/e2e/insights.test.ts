import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { describeWithChromium } from "../support/describe-with-chromium.js";
import { InsightsInBrowser, untilSettled } from "../support/insights-in-browser.js";

/** Runs in the page once axe is there. */
const ACCESSIBILITY_CHECK = `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] })`;

/** What a campaign's devices do: each is delivered to; some could open it, some of these do. */
interface Campaign {
  readonly publishId: string;
  readonly delivered: number;
  readonly openable: number;
  readonly opened: number;
  readonly secsToOpen: number;
}

const CAMPAIGNS: readonly Campaign[] = [
  { publishId: "pubid-dull", delivered: 8, openable: 5, opened: 1, secsToOpen: 100 },
  { publishId: "pubid-best", delivered: 5, openable: 4, opened: 3, secsToOpen: 65 },
  { publishId: "pubid-<b>&'quoted\"", delivered: 3, openable: 2, opened: 1, secsToOpen: 7_200 },
];

describeWithChromium("The insights page in a browser", (executablePath) => {
  let insights: InsightsInBrowser;
  let page: Page;
  /** Hosts that any page asked for anything. */
  const hosts = new Set<string>();
  const faults: string[] = [];

  beforeAll(async () => {
    insights = await InsightsInBrowser.start(executablePath);
    page = await newPage();
  });

  afterAll(async () => {
    await insights?.dispose();
  });

  async function newPage(viewport?: { readonly width: number; readonly height: number }) {
    const made = await insights.newPage(viewport);
    made.on("request", (request) => hosts.add(new URL(request.url()).host));
    made.on("pageerror", (error) => faults.push(error.message));
    return made;
  }

  it("says how to send a report while there is none, and shows it once it has come", async () => {
    await page.goto(insights.url);
    const example = page.locator("pre", { hasText: "curl" });
    await example.waitFor();
    expect(await example.textContent()).toContain("/reporting_api/v2/instances/");

    await Promise.all(
      CAMPAIGNS.flatMap((campaign) => reportsOf(campaign)).map((report) => insights.send(report)),
    );
    await page.getByRole("link", { name: "pubid-best" }).waitFor();
    expect(new URL(page.url()).searchParams.get("instance")).toBe(insights.instanceId);
  });

  it("answers which campaign had the best open rate, and how fast it was opened", async () => {
    await page.goto(insights.url);
    await untilSettled(page);
    await page.getByRole("link", { name: "Open rate" }).click();
    const first = page.locator("table.publishes tbody tr").first();
    await first.getByText("75.0%").waitFor();
    expect(await first.textContent()).toMatch(/pubid-best[\s\S]*5[\s\S]*4[\s\S]*3[\s\S]*1 min 5 s/);
  });

  it("shows a publish's funnel and keeps what is shown in the address", async () => {
    await page.getByRole("link", { name: "pubid-best" }).click();
    const bars = page.getByRole("region", { name: "Funnel" }).locator("li");
    await bars.first().waitFor();
    expect(await bars.allInnerTexts()).toEqual([
      expect.stringMatching(/^Delivered\s+5 devices$/),
      expect.stringMatching(/^Openable\s+4 devices, 80.0% /),
      expect.stringMatching(/^Opened, of those openable\s+3 devices, 75.0% /),
    ]);
    const again = await newPage();
    await again.goto(page.url());
    await again.getByRole("heading", { name: "pubid-best" }).waitFor();
    await again.goBack().catch(() => null);
    await again.close();
    await page.goBack();
    await page.getByRole("link", { name: "pubid-dull" }).waitFor();
  });

  it("shows ids as text, whatever they hold, and finds them", async () => {
    await page.getByLabel("Search").fill("&'QUOTED");
    const rows = page.locator("table.publishes tbody tr");
    await waitFor(async () => (await rows.count()) === 1, { what: "one publish" });
    expect(await rows.getByRole("link").textContent()).toBe("pubid-<b>&'quoted\"");
    expect(await page.evaluate("document.activeElement.type")).toBe("search");
    await page.getByLabel("Search").fill("no such publish");
    await page.getByText("No publish of this time matches").waitFor();
  });

  it("gives its numbers as CSV, and SQL that gives the same", async () => {
    await page.goto(insights.addressOf("&sort=delivered"));
    const panel = page.getByRole("region", { name: "Publishes", exact: true });
    await panel.getByRole("link", { name: "pubid-dull" }).waitFor();
    const href = await panel.getByRole("link", { name: "CSV" }).getAttribute("href");
    const csv = await (await fetch(new URL(href ?? "", insights.url))).text();
    expect(csv.split("\n")[1]).toMatch(/^"pubid-dull",.*,8,5,1,/);
    await untilSettled(page);
    await panel.getByText("SQL", { exact: true }).click();
    const sql = (await panel.locator("pre").textContent()) ?? "";
    expect(sql).not.toContain("{");
    const rows = await insights.standalone.rows<{ publish_id: string }>(sql);
    expect(rows.map((row) => row.publish_id)).toEqual([
      "pubid-dull",
      "pubid-best",
      "pubid-<b>&'quoted\"",
    ]);
  });

  it.each(["light", "dark"] as const)(
    "has no accessibility fault in its %s colours",
    async (scheme) => {
      await page.emulateMedia({ colorScheme: scheme });
      for (const query of ["", "&publish=pubid-best"]) {
        await page.goto(insights.addressOf(query));
        await page.locator(".tile").first().waitFor();
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate<AxeResults>(ACCESSIBILITY_CHECK);
        expect(passes).not.toEqual([]);
        expect(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`),
        ).toEqual([]);
      }
    },
  );

  it("does not scroll sideways on a phone", async () => {
    const phone = await newPage({ width: 360, height: 740 });
    for (const address of [insights.url, insights.addressOf("&publish=pubid-best")]) {
      await phone.goto(address);
      await phone.locator(".tile").first().waitFor();
      const widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
      const [content, screen] = (await phone.evaluate(widths)) as [number, number];
      expect(content).toBeLessThanOrEqual(screen);
    }
    await phone.close();
  });

  it("can be used by keyboard alone", async () => {
    await page.goto(insights.url);
    await page.getByRole("link", { name: "pubid-best" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.getByRole("link", { name: "Opened", exact: true }).focus();
    await page.keyboard.press("Enter");
    await waitFor(() => page.url().includes("sort=opened"), { what: "the other order" });
    await page.locator("th[aria-sort=descending]", { hasText: "Opened" }).waitFor();
    expect(await page.evaluate("document.activeElement.textContent")).toContain("Opened");
  });

  it("refuses what no page asks, and says what is wrong", async () => {
    const ask = async (path: string) => {
      const answer = await fetch(`${insights.url}/api/questions/${path}`);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    expect(await ask("tables")).toEqual([404, "wrong_question"]);
    expect(await ask("overview")).toEqual([400, "wrong_question"]);
    const time = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
    expect(await ask(`overview?instance=1' OR 1&${time}`)).toEqual([400, "wrong_question"]);
    expect(await ask(`publishes?instance=${insights.instanceId}&${time}&sort=1;DROP`)).toEqual([
      400,
      "wrong_question",
    ]);
  });

  it("says that its server is away, and keeps what it shows", async () => {
    await page.goto(insights.url);
    await page.getByRole("link", { name: "pubid-best" }).waitFor();
    await insights.standalone.end("SIGKILL");
    await page.getByRole("status").getByText("cannot be reached").first().waitFor();
    expect(await page.getByRole("link", { name: "pubid-best" }).count()).toBe(1);
  });

  it("asked no other host for anything, and had no fault of its own", () => {
    expect([...hosts]).toEqual([new URL(insights.url).host]);
    expect(faults).toEqual([]);
  });

  /** Bodies of a campaign's reports. */
  function reportsOf({ publishId, delivered, openable, opened, secsToOpen }: Campaign) {
    const at = Math.floor(Date.now() / 1_000) - 10_000;
    return Array.from({ length: delivered }, (_, device) => {
      const report = { publishId, deviceId: `web-${device}`, timestampSecs: at };
      const flags = { appInBackground: device < openable, hasDisplayableContent: true };
      const delivery = { event: "delivery", ...report, ...flags };
      const open = { event: "open", ...report, timestampSecs: at + secsToOpen };
      return device < opened ? [delivery, open] : [delivery];
    }).flat();
  }
});
