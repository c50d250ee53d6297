/** Where a running standalone can be reached. */
export interface BannerFacts {
  readonly httpPort: number;
  readonly operationsPort: number;
  readonly sqlPort: number;
  readonly insightsPort: number;
  readonly database: string;
  readonly dataDir: string;
  /** Unix seconds. */
  readonly now: number;
}

const INSTANCE_ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";

/** What is printed once all is ready: addresses, and a command to paste for each. */
export function bannerOf(facts: BannerFacts): string {
  const { httpPort, operationsPort, sqlPort, insightsPort, database, dataDir, now } = facts;
  const query = `SELECT * FROM ${database}.reports ORDER BY received_at DESC LIMIT 10 FORMAT Vertical`;
  const url = `http://127.0.0.1:${httpPort}/reporting_api/v2/instances/${INSTANCE_ID}/events`;
  const report = JSON.stringify({
    event: "delivery",
    publishId: "pubid-first",
    deviceId: "web-first",
    timestampSecs: now,
    appInBackground: true,
    hasDisplayableContent: true,
  });
  return `
push-reports is ready; its data is in ${dataDir}

  Reports   ${url}
            curl -i -H 'content-type: application/json' -d '${report}' ${url}
  Metrics   http://127.0.0.1:${operationsPort}/metrics
  SQL       http://127.0.0.1:${sqlPort}/
            curl http://127.0.0.1:${sqlPort}/ --data-binary '${query}'
  Insights  http://127.0.0.1:${insightsPort}/

`;
}
