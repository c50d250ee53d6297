import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";

/** Where the web SDK's published package keeps the sources of its service worker. */
const SDK_SOURCES = join(
  dirname(createRequire(import.meta.url).resolve("@pusher/push-notifications-web/package.json")),
  "src",
);

/** A web site that uses the web SDK, as published: `/` is a page, `/service-worker.js` the site's worker, `/sdk/` the SDK. */
export class CustomerSite {
  readonly #server: Server;

  private constructor(reportsUrl: string) {
    // The SDK's own host is another company's; this setting of the SDK's replaces it.
    const worker = `import "/sdk/service-worker";\nself.PusherPushNotifications.endpointOverride = ${JSON.stringify(reportsUrl)};\n`;
    this.#server = createServer((req, res) => {
      const path = req.url ?? "/";
      const sdkFile = /^\/sdk\/([a-z-]+)$/.exec(path)?.[1];
      if (path === "/")
        return void res.setHeader("content-type", "text/html").end("<title>Shop</title>");
      res.setHeader("content-type", "text/javascript");
      if (path === "/service-worker.js") return void res.end(worker);
      if (sdkFile !== undefined)
        return void res.end(readFileSync(join(SDK_SOURCES, `${sdkFile}.js`)));
      res.writeHead(404).end();
    });
  }

  /** Starts one whose reports go to `reportsUrl`. */
  static async start(reportsUrl: string): Promise<CustomerSite> {
    const site = new CustomerSite(reportsUrl);
    site.#server.listen(0, "127.0.0.1");
    await once(site.#server, "listening");
    return site;
  }

  /** A secure context for browsers, like https. */
  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  dispose(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
