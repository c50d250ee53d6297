import { STATUS_CODES } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "@push-reports/service-kit";
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from "express";
import { AskError, type Asker } from "./asker.js";
import { type Account, requireAccount } from "./authentication.js";
import { type Answers, type Question, sqlToCopy } from "./question.js";
import { QUESTIONS } from "./questions.js";

/** What the page is made from. */
export interface AppParts {
  readonly asker: Asker;
  /** Null lets everyone in who can reach it. */
  readonly account: Account | null;
  /** Where reports are sent, for the example that an empty page shows. */
  readonly reportingUrl: string;
  readonly logger: Logger;
}

const PACKAGE_FOLDER = fileURLToPath(new URL("..", import.meta.url));
/** Where the chart library keeps what a browser loads. */
const CHART_FOLDER = dirname(fileURLToPath(import.meta.resolve("uplot")));

/** What each question gives; the page shows it before the answer is there, so that it need not make room for it then. */
const ABOUTS = Object.fromEntries(
  Object.entries(QUESTIONS).map(([name, { about }]) => [name, about]),
);

/** Nothing comes from or goes to another host, and no other page may frame this one. */
const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
} as const;

/** Joins what a browser asks for: the page's files, and answers of the database as JSON and as CSV. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use((_req, res, next) => {
    res.set(SECURITY_HEADERS);
    next();
  });
  if (parts.account !== null) app.use(requireAccount(parts.account));
  app.get("/api/settings", (_req, res) => {
    const { reportingUrl, asker } = parts;
    res.json({ reportingUrl, abouts: ABOUTS, answerSecs: asker.answerSecs });
  });
  app.get("/api/questions/:name.csv", answerAsCsv(parts.asker));
  app.get("/api/questions/:name", answerAsJson(parts.asker));
  app.use("/chart", express.static(CHART_FOLDER, { maxAge: "1h" }));
  app.use("/web", express.static(join(PACKAGE_FOLDER, "dist", "web"), { maxAge: 0 }));
  app.use(express.static(join(PACKAGE_FOLDER, "public"), { maxAge: 0 }));
  app.use(answerErrors(parts.logger));
  return app;
}

function answerAsJson(asker: Asker): RequestHandler {
  return async (req, res) => {
    const { name, question, answers } = readQuestion(req.params["name"], req.query);
    const table = await asker.table(name, question, answers, leftBy(res));
    const sql = sqlToCopy(asker.statement(question, answers), answers);
    res.set("cache-control", "no-store").json({ sql, ...table });
  };
}

function answerAsCsv(asker: Asker): RequestHandler {
  return async (req, res) => {
    const { name, question, answers } = readQuestion(req.params["name"], req.query);
    const text = await asker.csv(name, question, answers, leftBy(res));
    res.set("cache-control", "no-store").type("text/csv").attachment(`${name}.csv`).send(text);
  };
}

/** Aborts when whoever asked is gone. */
function leftBy(res: Response): AbortSignal {
  const left = new AbortController();
  res.once("close", () => left.abort());
  return left.signal;
}

/** Something in the address that the page would never ask; shown to whoever wrote it. */
class WrongQuestion extends Error {
  override readonly name = "WrongQuestion";
  readonly status: 400 | 404;

  constructor(status: 400 | 404, message: string) {
    super(message);
    this.status = status;
  }
}

function readQuestion(
  name: unknown,
  query: unknown,
): { readonly name: string; readonly question: Question; readonly answers: Answers } {
  const question =
    typeof name === "string" && Object.hasOwn(QUESTIONS, name)
      ? QUESTIONS[name as keyof typeof QUESTIONS]
      : undefined;
  if (typeof name !== "string" || question === undefined)
    throw new WrongQuestion(404, `Questions: ${Object.keys(QUESTIONS).join(", ")}`);
  const { error, value } = question.parameters.validate(query, { abortEarly: false });
  if (error !== undefined) throw new WrongQuestion(400, error.message);
  return { name, question, answers: value as Answers };
}

const STATUS_OF = { busy: 503, too_large: 422, unavailable: 503 } as const;

function answerErrors(logger: Logger): ErrorRequestHandler {
  return (error, _req, res, next) => {
    if (res.headersSent) return next(error);
    // Whoever asked is gone.
    if (res.closed) return;
    if (error instanceof WrongQuestion)
      return void res.status(error.status).json({ code: "wrong_question", error: error.message });
    if (error instanceof AskError) {
      if (error.code === "unavailable") logger.warn("question_failed", { error });
      return void res
        .status(STATUS_OF[error.code])
        .json({ code: error.code, error: error.message });
    }
    logger.error("request_failed", { error });
    res.status(500).json({ code: "internal_error", error: STATUS_CODES[500] });
  };
}
