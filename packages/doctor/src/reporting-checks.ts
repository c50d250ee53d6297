import { type Finding, failed, ok, warning } from "./finding.js";

/** An instance that the SDKs' documentation names; nothing that is sent here can become a row. */
const PATH = "/reporting_api/v2/instances/426abfc7-41fe-492f-bcf1-27586fa9bd3f/events";
/** More than any gateway takes, and than most proxies let pass by default. */
const LARGE_BYTES = 2 * 1024 * 1024;
/** What a browser asks before its service worker may report. */
const PREFLIGHT = {
  origin: "https://customer.example",
  "access-control-request-method": "POST",
  "access-control-request-headers": "content-type",
};
const JSON_TYPE = { "content-type": "application/json" };
const SLOW_MS = 2_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** What came back, as far as it is looked at. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly tookMs: number;
}

/** Looks at the reporting path from outside, as SDKs meet it. It sends only what is refused. Never throws. */
export async function checkReporting(url: string): Promise<readonly Finding[]> {
  const ask = (init: RequestInit) => answerOf(new URL(PATH, url), init);
  try {
    const preflight = await ask({ method: "OPTIONS", headers: PREFLIGHT });
    const empty = await ask({ method: "POST", headers: JSON_TYPE, body: "{}" });
    const large = await ask({
      method: "POST",
      headers: JSON_TYPE,
      body: `"${"x".repeat(LARGE_BYTES)}"`,
    });
    return [
      judgePreflight(preflight),
      judgeRefusal("reports: a bad one", empty, "event is missing from body."),
      judgeRefusal("reports: a large one", large, "Failed to read body as a JSON object."),
      judgeTime(empty),
    ];
  } catch (error) {
    return [
      failed(
        "reports: reachable",
        `${url} does not answer (${messageOf(error)}).`,
        "check DNS, the certificate, the load balancer and that gateways run.",
      ),
    ];
  }
}

async function answerOf(url: URL, init: RequestInit): Promise<Answer> {
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const answer = await fetch(url, { ...init, redirect: "manual", signal });
  const text = await answer.text();
  const { status, headers } = answer;
  return { status, headers, text, tookMs: performance.now() - startedAt };
}

function judgePreflight({ status, headers }: Answer): Finding {
  const check = "reports: preflight of browsers";
  const origin = headers.get("access-control-allow-origin");
  const allowed = headers.get("access-control-allow-headers") ?? "";
  if (status >= 200 && status < 300 && origin === "*" && /content-type/i.test(allowed))
    return ok(check, `answered ${status} for any origin.`);
  return failed(
    check,
    `answered ${status}, origin ${origin ?? "none"}, headers ${allowed || "none"}: web clients never send their reports.`,
    "let nothing in front of the gateways answer OPTIONS or change headers.",
  );
}

/** The gateway's own refusal must arrive as it is: SDKs act on other statuses in ways that lose or repeat reports. */
function judgeRefusal(check: string, { status, headers, text }: Answer, expected: string): Finding {
  if (status === 400 && text.includes(expected)) return ok(check, "is refused by a gateway.");
  const where = headers.get("location");
  const what =
    where === null
      ? `answered ${status} by something else than a gateway`
      : `redirected to ${where}`;
  return failed(
    check,
    `is ${what}: SDKs lose or repeat reports on anything but a gateway's own 400 and 503.`,
    "compare what stands before the gateways with k8s/components/ingress: no redirects, no limit of the body, one path /.",
  );
}

function judgeTime({ tookMs }: Answer): Finding {
  const check = "reports: time of an answer";
  const detail = `${Math.round(tookMs)} ms.`;
  return tookMs < SLOW_MS
    ? ok(check, detail)
    : warning(check, detail, "look at the way to the gateways: Android repeats after 10 s.");
}

/** What fetch itself says is only that it failed. */
function messageOf(error: unknown): string {
  const { message, cause } = error as { message?: unknown; cause?: { message?: unknown } };
  return String(cause?.message ?? message ?? error);
}
