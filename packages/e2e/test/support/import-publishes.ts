import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StandaloneDeployment } from "./standalone-deployment.js";

/** Titles and recipients of publishes. */
export interface KnownPublish {
  readonly instanceId: string;
  readonly publishId: string;
  readonly recipients: number;
  readonly title: string;
}

/** Stops standalone, imports what is known of publishes, and runs it again. @throws when the import fails. */
export async function importPublishes(
  standalone: StandaloneDeployment,
  publishes: readonly KnownPublish[],
): Promise<void> {
  await standalone.end("SIGTERM");
  const lines = publishes.map(
    ({ instanceId, publishId, recipients, title }) =>
      `${instanceId},${publishId},${recipients},${title}`,
  );
  const file = join(standalone.dataDir, "publishes.csv");
  writeFileSync(file, ["instance_id,publish_id,recipients,title", ...lines, ""].join("\n"));
  const main = fileURLToPath(
    new URL("../../../standalone/dist/import-publishes-main.js", import.meta.url),
  );
  const env = { PATH: process.env["PATH"], DATA_DIR: standalone.dataDir };
  await promisify(execFile)(process.execPath, [main, file], { env });
  await standalone.run();
}
