import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { type Browser, type BrowserContext, chromium, type Worker } from "playwright-core";
import type { BrowserScope } from "../support/browser-scope.js";
import { CustomerSite } from "../support/customer-site.js";
import { describeWithChromium } from "../support/describe-with-chromium.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";
import { WatchedConnection } from "../support/watched-connection.js";

describeWithChromium("The web SDK in a browser", (executablePath) => {
  const instanceId = randomUUID();
  const deviceId = `web-${randomUUID()}`;
  const path = `/reporting_api/v2/instances/${instanceId}/events`;
  let standalone: StandaloneDeployment;
  let watched: WatchedConnection;
  let site: CustomerSite;
  let browser: Browser;
  let context: BrowserContext;
  let worker: Worker;
  let deliver: (push: object) => Promise<void>;

  beforeAll(async () => {
    standalone = await StandaloneDeployment.start();
    watched = await WatchedConnection.to(Number(new URL(standalone.url).port));
    site = await CustomerSite.start(watched.url);
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    context = await browser.newContext();
    await context.grantPermissions(["notifications"], { origin: site.origin });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        const [registration] = registrations;
        if (registration !== undefined) resolve(registration.registrationId);
      });
    });
    await session.send("ServiceWorker.enable");
    await page.goto(site.origin);
    const started = context.waitForEvent("serviceworker");
    await page.evaluate(async () => {
      const { serviceWorker } = (globalThis as unknown as BrowserScope).navigator;
      await serviceWorker.register("/service-worker.js", { type: "module" });
      await serviceWorker.ready;
    });
    worker = await started;
    const registrationId = await registered;
    deliver = async (push) => {
      await session.send("ServiceWorker.deliverPushMessage", {
        origin: site.origin,
        registrationId,
        data: JSON.stringify(push),
      });
    };
  });

  afterAll(async () => {
    await browser?.close();
    site?.dispose();
    watched?.dispose();
    await standalone?.dispose();
  });

  it("sends a report without a device while the browser is not registered", async () => {
    await deliver(aPush("pubid-unregistered"));
    await waitFor(() => watched.requests.includes(`POST ${path}`), { what: "the report" });
  });

  it("asks once whether it may report to another origin, then reports a delivery", async () => {
    await register();
    await deliver(aPush("pubid-first"));
    expect(await oneRowOf("pubid-first")).toMatchObject({
      instance_id: instanceId,
      event: "delivery",
      device_id: deviceId,
      user_id: "alice",
      app_in_background: false,
      has_displayable_content: true,
      has_data: null,
      client_library: "",
    });
    expect(await rowsOf("pubid-unregistered")).toEqual([]);
    expect(watched.requests).toEqual([`OPTIONS ${path}`, `POST ${path}`, `POST ${path}`]);
  });

  it("reports that a notification was opened", async () => {
    await worker.evaluate(async () => {
      const scope = globalThis as unknown as BrowserScope;
      const shown = await scope.registration.getNotifications();
      const notification = shown.find(
        ({ data }) => data.pusher.pusherMetadata.publishId === "pubid-first",
      );
      if (notification === undefined) throw new Error("There is no notification");
      scope.dispatchEvent(new scope.NotificationEvent("notificationclick", { notification }));
    });
    const [, opened] = await waitFor(
      async () => {
        const rows = await rowsOf("pubid-first");
        return rows.length > 1 ? rows : null;
      },
      { what: "the second row" },
    );
    expect(opened).toMatchObject({ event: "open", device_id: deviceId, user_id: "alice" });
  });

  it("may read the answer to a refused report, and send the header of the other libraries", async () => {
    const url = `${watched.url}${path}`;
    const answers = await worker.evaluate(async (to) => {
      const send = async (body: string) => {
        const answer = await fetch(to, {
          method: "POST",
          headers: { "content-type": "application/json", "x-pusher-library": "web 1" },
          body,
        });
        return { status: answer.status, text: await answer.text() };
      };
      return [
        await send("{}"),
        await send('{"event":"open","publishId":"pubid-by-hand","deviceId":"d","timestampSecs":1}'),
      ];
    }, url);
    expect(answers).toEqual([
      { status: 400, text: '{"error":"Bad request","description":"event is missing from body."}' },
      { status: 200, text: "" },
    ]);
    expect(await oneRowOf("pubid-by-hand")).toMatchObject({ client_library: "web 1" });
  });

  /** Writes what the SDK writes once Beams has given the browser a device. */
  async function register(): Promise<void> {
    await worker.evaluate(
      async ([instance, device]) => {
        const { indexedDB } = globalThis as unknown as BrowserScope;
        const opening = indexedDB.open(`beams-${instance}`);
        await new Promise((resolve, reject) => {
          opening.onsuccess = resolve;
          opening.onerror = reject;
        });
        const writing = opening.result.transaction("beams", "readwrite").objectStore("beams").put({
          instance_id: instance,
          device_id: device,
          token: "token",
          user_id: "alice",
        });
        await new Promise((resolve, reject) => {
          writing.onsuccess = resolve;
          writing.onerror = reject;
        });
        opening.result.close();
      },
      [instanceId, deviceId],
    );
  }

  /** A notification as Beams pushes it. */
  function aPush(publishId: string): object {
    return {
      notification: { title: "Hello", body: "World" },
      data: { pusher: { instanceId, publishId, hasDisplayableContent: true } },
    };
  }

  function rowsOf(publishId: string): Promise<readonly Record<string, unknown>[]> {
    return standalone.rows(
      `SELECT * FROM ${standalone.reports} WHERE publish_id = '${publishId}' ORDER BY event`,
    );
  }

  async function oneRowOf(publishId: string): Promise<Record<string, unknown> | undefined> {
    const rows = await waitFor(
      async () => {
        const found = await rowsOf(publishId);
        return found.length > 0 ? found : null;
      },
      { what: `the row of ${publishId}`, timeoutMs: 30_000 },
    );
    expect(rows).toHaveLength(1);
    return rows[0];
  }
});
