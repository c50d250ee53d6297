import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import express from "express";
import { createFastServer } from "../../src/server/fast-server.js";

/** What Express is told to be the prototype of a live object, when that is not its prototype already. */
function countPrototypeChanges(): { readonly changes: () => number; restore(): void } {
  const original = Object.setPrototypeOf;
  let changes = 0;
  Object.setPrototypeOf = (target: object, prototype: object | null) => {
    if (Object.getPrototypeOf(target) !== prototype) changes += 1;
    return original(target, prototype);
  };
  return {
    changes: () => changes,
    restore: () => {
      Object.setPrototypeOf = original;
    },
  };
}

describe("the fast server", () => {
  const counting = countPrototypeChanges();
  afterEach(() => counting.restore());

  it("gives Express requests and responses whose prototypes it need not change", async () => {
    const app = express();
    app.post("/things/:id", (req, res) => {
      res.set("x-type", req.get("content-type") ?? "").json({ id: req.params["id"], ip: req.ip });
    });
    const server = createFastServer(app, {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const before = counting.changes();

    const answer = await fetch(`http://127.0.0.1:${port}/things/7`, {
      method: "POST",
      headers: { "content-type": "text/x" },
      body: "x",
    });

    expect(await answer.json()).toEqual({ id: "7", ip: "127.0.0.1" });
    expect(answer.headers.get("x-type")).toBe("text/x");
    expect(counting.changes() - before).toBe(0);
    server.closeAllConnections();
    server.close();
  });

  it("would notice if Express changed them", () => {
    const before = countPrototypeChanges();
    Object.setPrototypeOf({}, Array.prototype);
    expect(before.changes()).toBe(1);
    before.restore();
  });
});
