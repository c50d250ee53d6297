import { CANARY_HEADER, encodeReport, type ReportRecord } from "@push-reports/report";
import type { Clock, Logger } from "@push-reports/service-kit";
import type { Request, RequestHandler, Response } from "express";
import type { Accounting } from "./accounting.js";
import type { Admission } from "./admission.js";
import { readClientLibrary } from "./client-library.js";
import { type Fault, ORIGIN_HEADERS, writeFault } from "./error-responses.js";
import type { Instances } from "./instances.js";
import { isInstanceId } from "./parse-instance-ids.js";
import { parseReport } from "./parse-report.js";
import { type ReadBody, readBody } from "./read-body.js";
import { type Kept, PublishError, type ReportPublisher } from "./report-publisher.js";
import { forgetHead, type LargeRequests } from "./server/large-requests.js";
import { lingerThenEnd } from "./server/linger.js";
import { answerUnread } from "./server/refuse-early.js";
import type { WorkTurns } from "./server/work-turns.js";

/** What the route works with. */
export interface ReportsRouteParts {
  readonly publisher: ReportPublisher;
  readonly accounting: Accounting;
  readonly nextReportId: () => string;
  readonly admission: Admission;
  readonly largeRequests: LargeRequests;
  /** Whether its connection is one more than may be open. */
  readonly isExcess: (req: Request) => boolean;
  readonly turns: WorkTurns;
  readonly instances: Instances;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
}

/** What became of a request. */
type Taken = { readonly kept: Kept } | { readonly fault: Fault } | { readonly aborted: true };

/** One report: judge, publish, answer. */
export function createReportsRoute(parts: ReportsRouteParts): RequestHandler {
  const { accounting, admission, largeRequests, maxBodyBytes } = parts;
  return async (req, res) => {
    accounting.received();
    // Looked up now: a socket that is closed has no address any more.
    const client = admission.isPerClient ? (req.ip ?? "") : null;
    const refusal = parts.isExcess(req) ? "busy" : admission.enter(client);
    if (refusal !== null) {
      accounting.ended(refusal);
      return answerUnread(req, res, refusal, parts.clock);
    }
    if (!largeRequests.enter(req, maxBodyBytes)) {
      admission.leave(client);
      accounting.ended("busy");
      return answerUnread(req, res, "busy", parts.clock);
    }
    const body = await readBody(req, maxBodyBytes);
    largeRequests.arrived(req);
    const receivedAt = new Date(parts.clock.now());
    const taken = await parts.turns.run(() => takeReport(parts, req, body, receivedAt));
    admission.leave(client);
    largeRequests.leave(req);
    if ("aborted" in taken) return accounting.ended("aborted");
    if ("kept" in taken) {
      accounting.ended(taken.kept);
      res.writeHead(200, ACCEPTED_HEADERS).end();
      return;
    }
    accounting.ended(taken.fault.code);
    if (body.kind === "faulty" || (body.kind === "refused" && !body.hasEnded))
      return answerUnfinished(req, res, taken.fault, parts.clock);
    answerFault(res, taken.fault);
  };
}

const ACCEPTED_HEADERS = { ...ORIGIN_HEADERS, "content-length": 0 } as const;

/** Never rejects: whatever goes wrong is a fault. */
async function takeReport(
  parts: ReportsRouteParts,
  req: Request,
  body: ReadBody,
  receivedAt: Date,
): Promise<Taken> {
  try {
    const judged = judge(parts, req, body, receivedAt);
    if (!("record" in judged)) return judged;
    const kept = await parts.publisher.publish(judged.record);
    parts.accounting.madeDurable(parts.clock.now() - receivedAt.getTime());
    return { kept };
  } catch (error) {
    if (error instanceof PublishError) return { fault: { code: error.code } };
    parts.logger.error("request_failed", { error });
    return { fault: { code: "internal_error" } };
  }
}

/** What a request becomes before anything is kept. */
type Judged = Exclude<Taken, { readonly kept: Kept }> | { readonly record: ReportRecord };

/** The faults in the order in which the API names them. */
function judge(parts: ReportsRouteParts, req: Request, body: ReadBody, receivedAt: Date): Judged {
  if (body.kind === "aborted") return { aborted: true };
  if (!isJson(req.headers["content-type"])) return { fault: { code: "invalid_content_type" } };
  const { instanceId } = req.params;
  if (typeof instanceId !== "string") return { fault: { code: "missing_instance_id" } };
  if (!isInstanceId(instanceId)) return { fault: { code: "invalid_instance_id" } };
  if (!parts.instances.has(instanceId.toLowerCase(), req.headers[CANARY_HEADER]))
    return { fault: { code: "unknown_instance" } };
  if (body.kind === "faulty") return { fault: { code: body.code } };
  if (body.kind === "refused") return { fault: { code: "unreadable_body" } };
  const parsed = parseReport(body.bytes, {
    instanceId: instanceId.toLowerCase(),
    clientLibrary: readClientLibrary(req.headers["x-pusher-library"]),
  });
  if (!parsed.ok) return { fault: { code: parsed.reason, detail: parsed.detail } };
  const reportId = parts.nextReportId();
  return { record: encodeReport({ ...parsed.report, reportId, receivedAt }) };
}

const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i;

function isJson(contentType: string | undefined): boolean {
  // What nearly every client sends needs no pattern.
  return contentType === "application/json" || JSON_TYPE.test(contentType ?? "");
}

function answerFault(res: Response, fault: Fault): void {
  const { status, headers, body } = writeFault(fault);
  res.writeHead(status, headers).end(body);
}

/** Answers a client that may still be sending: closing at once would reset the connection and lose the answer. */
function answerUnfinished(req: Request, res: Response, fault: Fault, clock: Clock): void {
  const { status, headers, body } = writeFault(fault);
  res.writeHead(status, { ...headers, connection: "close" });
  res.write(body);
  forgetHead(req);
  lingerThenEnd(req, res, clock);
}
