import { type Population, sdkReport } from "./sdk-reports.js";

/** Bytes of whole HTTP/1.1 requests on kept-alive connections, one a report. */
export function reportRequests(count: number, population: Population, nowSecs: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => requestOf(index, population, nowSecs));
}

function requestOf(index: number, population: Population, nowSecs: number): Buffer {
  const { instanceId, headers, body } = sdkReport(index, population, nowSecs);
  const text = JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `POST /reporting_api/v2/instances/${instanceId}/events HTTP/1.1\r\n` +
      `host: ${instanceId}.pushnotifications.example.com\r\n${lines.join("")}` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
