import {
  type ConfigOf,
  integerOption,
  optional,
  secretOption,
  textOption,
} from "@push-reports/service-kit";

/** The page, wherever it runs. */
export const PAGE_OPTIONS = {
  insightsPort: integerOption({
    name: "INSIGHTS_PORT",
    about: "Port of the analysts' page.",
    unit: "port",
    min: 0,
    max: 65_535,
    fallback: 8_090,
  }),
  insightsHost: textOption({
    name: "INSIGHTS_HOST",
    about:
      "Address that the page listens on. Other than loopback it needs INSIGHTS_USER and INSIGHTS_PASSWORD.",
    form: "address or host name",
    fallback: "127.0.0.1",
  }),
  insightsUser: optional(
    textOption({ name: "INSIGHTS_USER", about: "Who may look at the page.", form: "text" }),
  ),
  insightsPassword: optional(
    secretOption({ name: "INSIGHTS_PASSWORD", about: "Password of INSIGHTS_USER." }),
  ),
  insightsMaxQuestions: integerOption({
    name: "INSIGHTS_MAX_QUESTIONS",
    about: "Questions that may be with the database at once; one more is refused for the moment.",
    unit: "questions",
    min: 1,
    max: 1_000,
    fallback: 20,
  }),
  insightsQuestionTimeoutSecs: integerOption({
    name: "INSIGHTS_QUESTION_TIMEOUT_SECS",
    about: "How long the database may work on one question.",
    unit: "s",
    min: 1,
    max: 600,
    fallback: 20,
  }),
} as const;

/** Values of {@link PAGE_OPTIONS}. */
export type PageConfig = ConfigOf<typeof PAGE_OPTIONS>;
