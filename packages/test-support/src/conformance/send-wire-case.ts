import type { ConformanceAnswer } from "./conformance-case.js";
import { parseAnswers, sendRaw } from "./raw-request.js";
import type { WireCase } from "./wire-cases.js";

/** How long the gateway may take between two bytes, ms. */
const QUIET_MS = 10_000;

/**
 * Sends a case's bytes to a gateway, e.g. `http://127.0.0.1:8080`, and gives what came back: as soon as there are as many answers
 * as there should be, when the gateway has closed, or when it has been quiet for too long.
 */
export async function sendWireCase(
  baseUrl: string,
  { bytes, closesItsSide, answers }: Pick<WireCase, "bytes" | "closesItsSide" | "answers">,
): Promise<readonly ConformanceAnswer[]> {
  const text = await sendRaw(Number(new URL(baseUrl).port), [bytes], {
    halfClose: closesItsSide,
    quietMs: QUIET_MS,
    isEnough: (received) => parseAnswers(received).length >= answers.length,
  });
  return parseAnswers(text).map(({ status, headers, body }) => ({
    status,
    headers,
    body: body === "" ? null : (JSON.parse(body) as unknown),
  }));
}
