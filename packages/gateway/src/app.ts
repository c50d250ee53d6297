import type { RequestListener } from "node:http";
import type { Logger } from "@push-reports/service-kit";
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
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
): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.set("trust proxy", trustProxy ?? false);
  app.post(REPORTING_PATHS, reportsRoute);
  app.use(inItsTurn(turns));
  app.options(REPORTING_PATHS, answerPreflight);
  app.all(REPORTING_PATHS, methodNotAllowed);
  app.get("/openapi.json", sendOpenApi);
  return app;
}

/**
 * The app as the listener of its server, see server/fast-server.ts. Targets are made canonical before Express sees them: it answers what it
 * cannot parse by itself, ahead of all middleware. Whatever the app leaves unanswered gets an answer in our form too, never Express' own page.
 */
export function createAppListener(app: Express, logger: Logger): RequestListener {
  const answerError = createErrorHandler(logger);
  return (incoming, outgoing) => {
    const req = incoming as Request;
    const res = outgoing as Response;
    const notAnswered = (error?: unknown) => {
      if (error) answerError(error, req, res, () => {});
      else notFound(req, res, () => {});
    };
    req.url = canonicalTarget(req.url);
    app(req, res, notAnswered);
  };
}

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
