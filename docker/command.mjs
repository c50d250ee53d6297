/** The image's entry point: its first argument says which command of this project the container runs. */
const COMMANDS = {
  gateway: "../packages/gateway/dist/main.js",
  consumer: "../packages/consumer/dist/main.js",
  insights: "../packages/insights/dist/main.js",
  canary: "../packages/canary/dist/main.js",
  migrate: "../packages/consumer/dist/migrate.js",
  verify: "../packages/consumer/dist/verify-main.js",
  replay: "../packages/consumer/dist/replay-main.js",
  erase: "../packages/consumer/dist/erase-main.js",
  "import-publishes": "../packages/consumer/dist/import-publishes-main.js",
  drain: "../packages/gateway/dist/drain-main.js",
  doctor: "../packages/doctor/dist/main.js",
  capacity: "../packages/doctor/dist/capacity-main.js",
};

// The command sees its own arguments where any program sees them.
const [name = ""] = process.argv.splice(2, 1);
if (name in COMMANDS) {
  await import(COMMANDS[name]);
} else {
  console.error(`Name one command: ${Object.keys(COMMANDS).join(", ")}`);
  process.exitCode = 2;
}
