import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { describeWithContainers, waitFor } from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";

describeWithContainers("The services, from request to row", ["kafka", "clickhouse"], () => {
  const instanceId = randomUUID();
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await Deployment.create();
    await Promise.all([deployment.start("gateway"), deployment.start("consumer")]);
  });
  afterAll(() => deployment?.dispose());

  it("turns a delivery as Android sends it into a row", async () => {
    const row = await rowOf(
      {
        event: "Delivery",
        instanceId,
        deviceId: randomUUID(),
        publishId: "pubid-android",
        timestampSecs: 1_700_000_000,
        userId: "u",
        appInBackground: true,
        hasDisplayableContent: true,
        hasData: false,
      },
      { "x-pusher-library": "push-notifications-android 1.10.0" },
    );

    expect(row).toMatchObject({
      event: "delivery",
      publish_id: "pubid-android",
      occurred_at: "2023-11-14 22:13:20",
      user_id: "u",
      app_in_background: true,
      has_displayable_content: true,
      has_data: false,
      client_library: "push-notifications-android 1.10.0",
    });
  });

  it("turns an open as iOS sends it into a row", async () => {
    const row = await rowOf(
      {
        event: "Open",
        instanceId,
        deviceId: `apns-${randomUUID()}`,
        publishId: "pubid-ios",
        timestampSecs: 1_700_000_001,
      },
      { "x-pusher-library": "push-notifications-swift 4.0.1" },
    );

    expect(row).toMatchObject({
      event: "open",
      publish_id: "pubid-ios",
      occurred_at: "2023-11-14 22:13:21",
      user_id: null,
      app_in_background: null,
      has_displayable_content: null,
      has_data: null,
      client_library: "push-notifications-swift 4.0.1",
    });
  });

  it("turns an open as the web sends it into a row", async () => {
    const row = await rowOf({
      event: "open",
      publishId: "pubid-web",
      deviceId: `web-${randomUUID()}`,
      timestampSecs: 1_700_000_002,
      userId: null,
      appInBackground: false,
      hasDisplayableContent: true,
      hasData: true,
    });

    expect(row).toMatchObject({
      event: "open",
      publish_id: "pubid-web",
      occurred_at: "2023-11-14 22:13:22",
      user_id: null,
      app_in_background: false,
      has_displayable_content: true,
      has_data: true,
      client_library: "",
    });
  });

  async function rowOf(
    report: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const sentAt = Date.now();
    const answer = await fetch(
      `${deployment.url}/reporting_api/v2/instances/${instanceId.toUpperCase()}/events`,
      {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(report),
      },
    );
    expect(answer.status).toBe(200);
    const [row] = await waitFor(
      async () => {
        const rows = await deployment.rows<Record<string, unknown>>(
          `SELECT * FROM reports WHERE device_id = '${report["deviceId"]}'`,
        );
        return rows.length === 0 ? null : rows;
      },
      { what: "the report's row" },
    );
    expect(row).toMatchObject({ instance_id: instanceId, device_id: report["deviceId"] });
    const receivedAt = Date.parse(`${String(row?.["received_at"]).replace(" ", "T")}Z`);
    expect(receivedAt).toBeGreaterThanOrEqual(sentAt - 1_000);
    expect(receivedAt).toBeLessThanOrEqual(Date.now() + 1_000);
    return row ?? {};
  }
});
