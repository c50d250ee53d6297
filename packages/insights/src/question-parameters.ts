import Joi from "joi";
import { MAX_ROWS } from "./asker.js";

/** Longest text of an id or a search, UTF-16 units; as long as the reports' own limit. */
const MAX_TEXT_UNITS = 256;

/** Of a list that is asked for as a whole; one that has more rows than an answer may have is refused, not cut. */
const WHOLE_LIST = MAX_ROWS + 1;

/** A moment in ISO 8601, as ClickHouse reads it: UTC, without saying so. */
const moment = Joi.string()
  .isoDate()
  .custom((text: string) => new Date(text).toISOString().replace("T", " ").replace("Z", ""));

const instance = Joi.string().guid().lowercase().required().messages({
  "string.guid": "The address names no instance; an instance's id is a UUID. Choose one above.",
});

/** A stretch of receipt, the first moment in and the last out. */
export const TIME = { from: moment.required(), to: moment.required() } as const;
/** An instance. */
export const INSTANCE = { instance } as const;
/** A publish of an instance. */
export const PUBLISH = {
  instance,
  publish: Joi.string().max(MAX_TEXT_UNITS).required(),
} as const;
/** Which part of a list, in which order; the whole one where no part is named. */
export const LIST = {
  search: Joi.string().allow("").max(MAX_TEXT_UNITS).default(""),
  min_delivered: Joi.number().integer().min(0).max(4_294_967_295).default(0),
  direction: Joi.string().valid("asc", "desc").default("desc"),
  limit: Joi.number().integer().min(1).max(WHOLE_LIST).default(WHOLE_LIST),
  offset: Joi.number().integer().min(0).max(100_000_000).default(0),
} as const;
