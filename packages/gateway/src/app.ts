import type { Logger } from "@push-reports/service-kit";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import { canonicalTarget } from "./canonical-path.js";
import { answerPreflight } from "./cors.js";
import { ORIGIN_HEADERS, writeFault } from "./error-responses.js";
import { OPENAPI } from "./openapi.js";
import type { WorkTurns } from "./server/work-turns.js";
import type { TrustedProxies } from "./trust-proxy.js";

/** The reporting path, with and without the instance id that it must carry. */
const REPORTING_PATHS = [
  "/reporting_api/v2/instances/:instanceId/events",
  "/reporting_api/v2/instances/events",
  "/reporting_api/v2/instances//events",
];

/** Joins middleware and routes, in order. */
export function createApp(
  reportsRoute: RequestHandler,
  trustProxy: TrustedProxies,
  turns: WorkTurns,
  logger: Logger,
): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.set("trust proxy", trustProxy ?? false);
  app.use(canonicalPath);
  app.post(REPORTING_PATHS, reportsRoute);
  app.use(inItsTurn(turns));
  app.options(REPORTING_PATHS, answerPreflight);
  app.all(REPORTING_PATHS, methodNotAllowed);
  app.get("/openapi.json", sendOpenApi);
  app.use(notFound);
  app.use(createErrorHandler(logger));
  return app;
}

const canonicalPath: RequestHandler = (req, _res, next) => {
  req.url = canonicalTarget(req.url);
  next();
};

/** Whatever is no report takes its turn among them: answered at once, it would be asked again before the turn ends. */
function inItsTurn(turns: WorkTurns): RequestHandler {
  return (_req, _res, next) => void turns.run(async () => next());
}

/** No SDK sends anything but POST and OPTIONS. */
const methodNotAllowed: RequestHandler = (_req, res) => {
  res
    .status(405)
    .set({ ...ORIGIN_HEADERS, allow: "POST, OPTIONS" })
    .json({ error: "Method not allowed", description: "Reports are sent with POST." });
};

/** Shared by all that are sent. */
const OPENAPI_BYTES = Buffer.from(JSON.stringify(OPENAPI));

const sendOpenApi: RequestHandler = (_req, res) => {
  res.set(ORIGIN_HEADERS).type("application/json").send(OPENAPI_BYTES);
};

const notFound: RequestHandler = (_req, res) => {
  res.status(404).set(ORIGIN_HEADERS).json({
    error: "Not found",
    description: "Reports go to /reporting_api/v2/instances/{instanceId}/events.",
  });
};

/** The last resort: a fault of ours, told to the log and not to the sender. */
function createErrorHandler(logger: Logger): ErrorRequestHandler {
  return (error, _req, res, _next) => {
    logger.error("request_failed", { error });
    if (res.headersSent) return void res.destroy();
    const { status, headers, body } = writeFault({ code: "internal_error" });
    res.writeHead(status, headers).end(body);
  };
}
