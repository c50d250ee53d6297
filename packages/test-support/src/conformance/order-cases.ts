import {
  CONTENT_TYPE,
  type ConformanceCase,
  instancePath,
  invalid,
  missing,
  NO_INSTANCE,
  NOT_AN_INSTANCE,
  type Refusal,
  refuses,
  type Sent,
  UNREADABLE,
  VALID,
} from "./conformance-case.js";

/** One fault, and how to commit it; `part` is what of the request it takes, which no other fault can take too. */
interface Fault {
  readonly name: string;
  readonly refusal: Refusal;
  readonly part: "type" | "path" | "body" | "event" | "publishId" | "deviceId" | "timestampSecs";
  readonly commit: (sent: Draft) => void;
}

/** A request under construction. */
interface Draft {
  path: string | null;
  type: string;
  keys: Record<string, unknown>;
  text: string | null;
}

const fieldFault = (
  name: string,
  key: keyof typeof VALID,
  value: unknown,
  refusal: Refusal,
): Fault => ({
  name,
  refusal,
  part: key,
  commit: (draft) => {
    draft.keys[key] = value;
  },
});

/** In the order in which they must be found. */
const FAULTS: readonly Fault[] = [
  {
    name: "a wrong content type",
    refusal: CONTENT_TYPE,
    part: "type",
    commit: (draft) => {
      draft.type = "text/plain";
    },
  },
  {
    name: "a missing instance",
    refusal: NO_INSTANCE,
    part: "path",
    commit: (draft) => {
      draft.path = "/reporting_api/v2/instances/events";
    },
  },
  {
    name: "an invalid instance",
    refusal: NOT_AN_INSTANCE,
    part: "path",
    commit: (draft) => {
      draft.path = instancePath("x");
    },
  },
  {
    name: "an unreadable body",
    refusal: UNREADABLE,
    part: "body",
    commit: (draft) => {
      draft.text = "{";
    },
  },
  fieldFault("a missing event", "event", null, missing("event")),
  fieldFault("a missing publishId", "publishId", "", missing("publishId")),
  fieldFault("a missing deviceId", "deviceId", null, missing("deviceId")),
  fieldFault("a missing timestampSecs", "timestampSecs", null, missing("timestampSecs")),
  fieldFault("an unknown event", "event", "click", invalid("event must be delivery or open.")),
  fieldFault("a wrong publishId", "publishId", 1, invalid("publishId must be a string.")),
  fieldFault("a wrong deviceId", "deviceId", 1, invalid("deviceId must be a string.")),
  fieldFault(
    "a wrong timestampSecs",
    "timestampSecs",
    "1",
    invalid("timestampSecs must be a number from 0 to 4294967295."),
  ),
];

/** Whether one request can have both: a body that cannot be read has no fields. */
const canMeet = (first: Fault, second: Fault) =>
  first.part !== second.part && (first.part !== "body" || second.part === "path");

function sentWith(faults: readonly Fault[]): Sent {
  const draft: Draft = { path: null, type: "application/json", keys: { ...VALID }, text: null };
  for (const { commit } of faults) commit(draft);
  return {
    headers: { "content-type": draft.type },
    body: draft.text ?? draft.keys,
    ...(draft.path === null ? {} : { path: draft.path }),
  };
}

/** Every two faults that one request can have: the earlier one is named. */
export const ORDER_CASES: readonly ConformanceCase[] = FAULTS.flatMap((first, index) =>
  FAULTS.slice(index + 1)
    .filter((second) => canMeet(first, second))
    .map((second) =>
      refuses(
        "Order of the checks",
        `${first.name} before ${second.name}`,
        first.refusal,
        sentWith([first, second]),
      ),
    ),
);
