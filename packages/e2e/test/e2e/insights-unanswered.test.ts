import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import type { Page, Request, Route } from "playwright-core";
import { describeWithChromium } from "../support/describe-with-chromium.js";
import { HeldAnswers } from "../support/held-answers.js";
import { InsightsInBrowser, untilSettled } from "../support/insights-in-browser.js";

/** More than a page of the list. */
const PUBLISHES = 30;
/** The name of the question that a request is for. */
const questionOf = (request: Request) => new URL(request.url()).pathname.split("/").at(-1) ?? "";
/** A time that is over, in which nothing was received. */
const OVER = "&from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z";

describeWithChromium("The insights page when answers fail or come late", (executablePath) => {
  let insights: InsightsInBrowser;
  let page: Page;
  let faults: string[];
  let underWay: Set<Request>;

  beforeAll(async () => {
    insights = await InsightsInBrowser.start(executablePath);
    for (let n = 0; n < PUBLISHES; n += 1) await insights.send({ publishId: `pubid-${n}` });
    await insights.untilReceived(PUBLISHES);
  });

  beforeEach(async () => {
    page = await insights.newPage();
    faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    underWay = new Set();
    page.on("request", (request) => underWay.add(request));
    page.on("requestfinished", (request) => underWay.delete(request));
    page.on("requestfailed", (request) => underWay.delete(request));
  });

  afterEach(async () => {
    await page.context().close();
    expect(faults).toEqual([]);
  });

  afterAll(async () => {
    await insights?.dispose();
  });

  const panel = (name: string) => page.getByRole("region", { name, exact: true });

  it("shows the figures of the address while the list of instances does not come", async () => {
    const answers = await HeldAnswers.of(page, ["instances", "freshness"]);
    await page.goto(insights.addressOf("&publish=pubid-3"));
    await page.getByRole("region", { name: "Funnel" }).getByText("1 device").first().waitFor();
    await answers.untilAsked();
    answers.release("instances");
    answers.release("freshness");
    await page.getByText("Complete up to").waitFor();
  });

  it("is loaded again by itself when a part of it does not come, as when a network changes meanwhile", async () => {
    let asked = 0;
    await page.route("**/web/evenly.js", async (route) => {
      asked += 1;
      if (asked > 1) await route.continue();
      else await route.abort("internetdisconnected");
    });
    await page.goto(insights.addressOf());
    await page.getByRole("link", { name: "pubid-29", exact: true }).waitFor();
  });

  it("asks anew by itself while its settings do not come", async () => {
    let asked = 0;
    await page.route("**/api/settings", async (route) => {
      asked += 1;
      if (asked > 1) await route.continue();
    });
    await page.goto(insights.addressOf());
    await page.getByRole("link", { name: "pubid-29", exact: true }).waitFor();
  });

  it("asks anew by itself while an answer does not come", async () => {
    await page.route("**/api/settings", async (route) => {
      const response = await route.fetch();
      const json = { ...((await response.json()) as object), answerSecs: 1 };
      await route.fulfill({ response, json });
    });
    let asked = 0;
    await page.route("**/api/questions/overview?*", async (route) => {
      asked += 1;
      if (asked > 1) await route.continue();
    });
    await page.goto(insights.addressOf());
    await panel("Overview").getByText("cannot be reached").waitFor();
    await panel("Overview").getByText("30", { exact: true }).first().waitFor();
  });

  it("asks a question that failed again by itself, for a time that is over too", async () => {
    const question = "**/api/questions/publishes?*";
    await page.route(question, (route) => refuse(route, 503, "busy"));
    await page.goto(insights.addressOf(OVER));
    await panel("Publishes").getByText("refused: busy").waitFor();
    await page.unroute(question);
    await panel("Publishes").getByText("No publish of this time matches").waitFor();
    await panel("Publishes").getByText("refused: busy").waitFor({ state: "hidden" });
  });

  it.each([
    ["a time that is over", OVER],
    ["the time until now", ""],
  ])("asks again what is too much to answer more and more seldom, for %s", async (_, time) => {
    await page.route("**/api/questions/publishes?*", (route) => refuse(route, 422, "too_large"));
    const asked = questionsAsked();
    await page.clock.install();
    await page.goto(insights.addressOf(time));
    await panel("Publishes").getByText("refused: too_large").waitFor();
    await untilSettled(page);
    for (let passed = 0; passed < 100_000; passed += 5_000) {
      await roundsOf(5_000);
      await waitFor(() => underWay.size === 0, { what: "answers", intervalMs: 20 });
    }
    // At once, and after 30 s, 1 min and 2 min more; the time that answers took has passed for the page as well.
    expect(asked("publishes")).toBeGreaterThan(1);
    expect(asked("publishes")).toBeLessThanOrEqual(5);
    if (time === OVER) expect(asked("clients")).toBe(1);
    else expect(asked("clients")).toBeGreaterThan(5);
    await page.unroute("**/api/questions/publishes?*");
    await waitFor(
      async () => {
        await roundsOf(30_000);
        return await panel("Publishes").getByText("refused: too_large").isHidden();
      },
      { what: "the answer", timeoutMs: 60_000 },
    );
  });

  it("asks first what had no answer in the last round", async () => {
    await page.route("**/api/questions/clients?*", (route) => refuse(route, 503, "busy"));
    const order: string[] = [];
    page.on("request", (request) => order.push(questionOf(request)));
    await page.goto(insights.addressOf());
    await panel("Clients").getByText("refused: busy").waitFor();
    await untilSettled(page);
    order.length = 0;
    await waitFor(() => order.includes("overview"), { what: "the next round" });
    expect(order.indexOf("clients")).toBeLessThan(order.indexOf("overview"));
  });

  it("begins no refresh while a question of the last one is under way, when a panel cannot be drawn", async () => {
    await page.route("**/api/questions/overview?*", (route) =>
      route.fulfill({ json: { sql: "", columns: ["unknown"], rows: [[1]] } }),
    );
    const answers = await HeldAnswers.of(page, ["clients"]);
    const asked = questionsAsked();
    await page.clock.install();
    const answered = page.waitForResponse("**/api/questions/overview?*");
    await page.goto(insights.addressOf());
    await answers.untilAsked();
    await answered;
    await roundsOf(30_000);
    expect([asked("overview"), asked("clients")]).toEqual([1, 1]);
    answers.release("clients");
    await page.getByText("This page has a fault").waitFor();
  });

  it("takes a number of devices that is larger than any as the largest that it knows", async () => {
    await page.goto(insights.addressOf());
    await untilSettled(page);
    await typeAtOnce([["number", "99999999999"]]);
    await page.waitForURL(/min=1000000000$/);
    await panel("Publishes").getByText("No publish of this time matches").waitFor();
    expect(await page.locator(".filter input[type=number]").inputValue()).toBe("1000000000");
  });

  it("says that it cannot read an answer, and asks again", async () => {
    const question = "**/api/questions/overview?*";
    const body = "<!doctype html><title>Sign in</title>";
    await page.route(question, (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto(insights.addressOf());
    await panel("Overview").getByText("cannot be read").waitFor();
    await page.unroute(question);
    await panel("Overview").getByText("30", { exact: true }).first().waitFor();
  });

  it("searches by both fields of the list when one is typed in right after the other", async () => {
    await page.goto(insights.addressOf());
    await untilSettled(page);
    await typeAtOnce([
      ["search", "pubid-3"],
      ["number", "1"],
    ]);
    await page.waitForURL(/q=pubid-3&min=1/);
  });

  it("stays where it went when the list was left right after typing", async () => {
    await page.goto(insights.addressOf());
    await untilSettled(page);
    const link = `document.querySelector("table.publishes tbody a")`;
    await page.evaluate(`
      window.pushed = [];
      const push = history.pushState;
      history.pushState = (...of) => { pushed.push(of[2]); push.apply(history, of); };`);
    await typeAtOnce([["search", "pubid"]], `${link}.click()`);
    await untilSettled(page);
    await page.getByRole("region", { name: "Funnel" }).waitFor();
    // What typing set off would come while the next figures do.
    await page.waitForRequest(/publish_timeline/);
    expect(await page.evaluate("pushed.length")).toBe(1);
    expect(page.url()).toContain("publish=pubid-");
  });

  it("renews SQL in which somebody clicked, and keeps what is marked", async () => {
    await page.goto(insights.addressOf());
    await untilSettled(page);
    const code = `document.querySelector("section[aria-label=Clients] pre code")`;
    await panel("Clients").getByText("SQL", { exact: true }).click();
    const sql = page.locator("section[aria-label=Clients] pre code");
    await sql.click();
    const first = await sql.textContent();
    await waitFor(async () => (await sql.textContent()) !== first, { what: "new SQL" });
    const marked = (await page.evaluate(
      `(getSelection().setBaseAndExtent(${code}.firstChild, 0, ${code}.firstChild, 6), ${code}.textContent)`,
    )) as string;
    await page.waitForResponse(/questions\/clients\?/);
    await page.waitForRequest(/questions\/clients\?/);
    expect(await sql.textContent()).toBe(marked);
  });

  it("gives the whole list as CSV, as it is filtered, whichever page is shown", async () => {
    await page.goto(insights.addressOf("&q=pubid-&sort=publish_id&dir=asc&page=2"));
    await untilSettled(page);
    const href = await panel("Publishes").getByRole("link", { name: "CSV" }).getAttribute("href");
    const csv = await (await fetch(new URL(href ?? "", insights.url))).text();
    const [, ...lines] = csv.trimEnd().split("\n");
    expect(lines.length).toBe(PUBLISHES);
    expect(lines[0]).toMatch(/^"pubid-0",/);
  });

  /** Lets a time of the page's own clock pass, with its requests answered in between. */
  async function roundsOf(ms: number) {
    for (let passed = 0; passed < ms; passed += 5_000) {
      await page.clock.runFor(5_000);
      await page.evaluate(`fetch("/api/settings").then((response) => response.text())`);
    }
  }

  /** Counts from now on how often the page asks a question. */
  function questionsAsked(): (name: string) => number {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(questionOf(request)));
    return (name) => asked.filter((other) => other === name).length;
  }

  /** Fills fields one right after the other, within the time that the list waits for more. */
  async function typeAtOnce(typed: readonly (readonly [type: string, text: string])[], then = "") {
    const steps = typed.map(
      ([type, text]) => `{
        const field = document.querySelector(".filter input[type=${type}]");
        field.value = ${JSON.stringify(text)};
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }`,
    );
    await page.evaluate([...steps, then].join("\n"));
  }

  const refuse = (route: Route, status: number, code: string) =>
    route.fulfill({ status, json: { code, error: `refused: ${code}` } });
});
