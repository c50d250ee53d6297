/** Tests import the sources: `@push-reports/x` is packages/x/src, and `.js` in an import names the `.ts` beside it. */
const project = (displayName, testMatch, testTimeout) => ({
  displayName,
  testMatch,
  testTimeout,
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
});

export default {
  projects: [
    project("unit", ["<rootDir>/packages/*/test/unit/**/*.test.ts"], 20_000),
    project("integration", ["<rootDir>/packages/*/test/integration/**/*.test.ts"], 120_000),
    project("e2e", ["<rootDir>/packages/e2e/test/**/*.test.ts"], 180_000),
  ],
};
