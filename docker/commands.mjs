/**
 * What the image can run: the module of each command and, for a service, the port of its operations server unless
 * OPERATIONS_PORT names another. A command without a port does its work and ends.
 */
export const COMMANDS = {
  gateway: { module: "packages/gateway/dist/main.js", operationsPort: 8_081 },
  consumer: { module: "packages/consumer/dist/main.js", operationsPort: 8_082 },
  migrate: { module: "packages/consumer/dist/migrate.js" },
};
