/** Ends with 0 when the service in this container is ready. Without OPERATIONS_PORT it is on its default port. */
const GATEWAY_PORT = 8081;
const CONSUMER_PORT = 8082;
const INSIGHTS_PORT = 8083;
const CANARY_PORT = 8084;

const given = process.env.OPERATIONS_PORT;
const ports = given ? [given] : [GATEWAY_PORT, CONSUMER_PORT, INSIGHTS_PORT, CANARY_PORT];
const answers = await Promise.all(ports.map(isReady));
process.exitCode = answers.includes(true) ? 0 : 1;

async function isReady(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
