import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, waitFor } from "@push-reports/test-support";

const CONFIG = new URL("../../../../docker/haproxy.cfg", import.meta.url);

/** Whether HAProxy is installed on this machine. */
export const hasProxy = () => spawnSync("haproxy", ["-v"]).status === 0;

/** HAProxy with the configuration of docker-compose.yml, in front of gateways that are named by their ports. */
export class HaProxy {
  readonly baseUrl: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, process: ChildProcess, folder: string) {
    this.baseUrl = `http://127.0.0.1:${port}`;
    this.#process = process;
    this.#folder = folder;
  }

  static async start(gatewayPorts: readonly number[]): Promise<HaProxy> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "proxy-"));
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, await configFor(port, gatewayPorts));
    const process = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
    await waitFor(() => accepts(port), { what: "HAProxy to listen", timeoutMs: 30_000 });
    return new HaProxy(port, process, folder);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

/** Other addresses, and servers that count as up until a connection to them fails; all else is as it is deployed. */
async function configFor(port: number, gatewayPorts: readonly number[]): Promise<string> {
  const servers = gatewayPorts.map((at) => `  server gateway${at} 127.0.0.1:${at}`).join("\n");
  const replaced: readonly (readonly [RegExp, string])[] = [
    [/^ *server-template .*$/m, servers],
    [/^ *option httpchk .*$/m, ""],
    [/bind :8080$/m, `bind 127.0.0.1:${port}`],
    [/127\.0\.0\.1:8404/, `127.0.0.1:${await freePort()}`],
  ];
  return replaced.reduce(
    (config, [from, to]) => {
      if (!from.test(config)) throw new Error(`docker/haproxy.cfg has nothing like ${from}`);
      return config.replace(from, to);
    },
    readFileSync(CONFIG, "utf8"),
  );
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
