import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const INSTANCE = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";

describe("the commands on standalone's data folder", () => {
  let standalone: StandaloneDeployment;

  beforeAll(async () => {
    standalone = await StandaloneDeployment.start();
    for (const userId of ["alice", "bob"])
      await standalone.report(INSTANCE, {
        event: "delivery",
        publishId: "pubid-1",
        deviceId: `web-${userId}`,
        userId,
        timestampSecs: Math.floor(Date.now() / 1_000),
      });
    await waitFor(async () => (await figures())[0]?.["delivered"] === 2, {
      what: "two rows",
      timeoutMs: 60_000,
    });
  });
  afterAll(async () => standalone.dispose());

  const figures = async () =>
    standalone.rows<Record<string, unknown>>(
      `SELECT toUInt32(delivered) AS delivered, toUInt32(recipients) AS recipients, acknowledgement_rate, toUInt32(reports) AS reports
       FROM push_reports.publish_figures(instance = '${INSTANCE}')`,
    );
  const run = (command: string, ...args: readonly string[]) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const main = fileURLToPath(
        new URL(`../../../standalone/dist/${command}-main.js`, import.meta.url),
      );
      const env = { PATH: process.env["PATH"], DATA_DIR: standalone.dataDir };
      execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });

  it("import publishes, erase a user, verify and replay while it is stopped, and say so while it runs", async () => {
    const erase = ["--instance", INSTANCE, "--user", "alice", "--yes"] as const;
    for (const refused of [await run("erase", ...erase), await run("verify")]) {
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.output).toContain("stop standalone first");
    }

    await standalone.end("SIGTERM");
    const file = join(standalone.dataDir, "publishes.csv");
    writeFileSync(file, `instance_id,publish_id,recipients,title\n${INSTANCE},pubid-1,4,First\n`);
    expect(await run("import-publishes", file)).toMatchObject({ code: 0 });
    const erased = await run("erase", ...erase);
    expect(erased.output).toContain('left: {"reports":0,"notifications":0,"deadLetters":0}');
    expect(erased).toMatchObject({ code: 0 });

    // What was erased is booked, so nothing is missing; and there is no dead letter to replay.
    const verified = await run("verify", "--json");
    expect(verified).toMatchObject({ code: 0 });
    const verification: unknown = JSON.parse(verified.output);
    expect(verification).toMatchObject({ partitions: 1, waitingRecords: 0, discrepancies: [] });
    const replayed = await run("replay", "--yes");
    expect(replayed).toMatchObject({ code: 0 });
    expect(replayed.output).toContain('"stillBad":0');

    await standalone.run();
    expect(await figures()).toEqual([
      { delivered: 1, recipients: 4, acknowledgement_rate: 0.25, reports: 1 },
    ]);
  });
});
