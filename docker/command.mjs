/** The image's entry point: its first argument says which command of this project the container runs. */
const COMMANDS = {
  gateway: "../packages/gateway/dist/main.js",
  consumer: "../packages/consumer/dist/main.js",
  migrate: "../packages/consumer/dist/migrate.js",
  verify: "../packages/consumer/dist/verify-main.js",
  replay: "../packages/consumer/dist/replay-main.js",
};

// The command sees its own arguments where any program sees them.
const [name = ""] = process.argv.splice(2, 1);
if (name in COMMANDS) {
  await import(COMMANDS[name]);
} else {
  console.error(`Name one command: ${Object.keys(COMMANDS).join(", ")}`);
  process.exitCode = 2;
}
