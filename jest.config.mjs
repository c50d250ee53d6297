/** Tests import the sources: `@push-reports/x` is packages/x/src, and `.js` in an import names the `.ts` beside it. */
const project = (displayName, testMatch, more = {}) => ({
  displayName,
  testMatch,
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  modulePathIgnorePatterns: ["<rootDir>/packages/[^/]+/dist/", "<rootDir>/data/"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
  moduleNameMapper: {
    "^@push-reports/([^/]+)$": "<rootDir>/packages/$1/src/index.ts",
    "^(\\.{1,2}/.*)\\.js$": "$1",
  },
  ...more,
});

/** Both run in the process that runs Jest: once for all projects that name them. */
const withContainers = {
  globalSetup: "<rootDir>/packages/test-support/jest/before-tests.mjs",
  globalTeardown: "<rootDir>/packages/test-support/jest/after-tests.mjs",
};

export default {
  // Jest takes this for the whole run only, not by project: long enough for a test that starts containers.
  testTimeout: 300_000 * Number(process.env.TEST_PATIENCE || 1),
  testSequencer: "<rootDir>/scripts/longest-first.mjs",
  projects: [
    project("unit", ["<rootDir>/packages/*/test/unit/**/*.test.ts"]),
    project("integration", ["<rootDir>/packages/*/test/integration/**/*.test.ts"], withContainers),
    // What takes a small machine minutes each, and facts that change with the versions of kafkajs, Kafka and ClickHouse only: `npm run test:long`.
    project("long", ["<rootDir>/packages/*/test/long/**/*.test.ts"], withContainers),
    project("faults", ["<rootDir>/packages/*/test/faults/*.test.ts"], withContainers),
    // Shows that the fault suite bites: minutes, so only `npm run test:faults -- --mutate` runs it.
    project("mutants", ["<rootDir>/packages/*/test/faults/mutants/*.test.ts"], withContainers),
    // Needs the ports of docker-compose.yml and minutes, so `npm test` leaves it to `npm run test:compose`.
    project("compose", ["<rootDir>/packages/*/test/compose/**/*.test.ts"]),
    // Alerts take minutes to fire: `npm run test:alerts`.
    project("alerts", ["<rootDir>/packages/*/test/alerts/**/*.test.ts"], withContainers),
    // Needs a Kubernetes cluster: `npm run test:cluster` runs on the one that KUBECONFIG names.
    project("cluster", ["<rootDir>/packages/*/test/cluster/**/*.test.ts"]),
    project("e2e", ["<rootDir>/packages/*/test/e2e/**/*.test.ts"], withContainers),
  ],
};
