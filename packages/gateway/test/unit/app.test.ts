import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { createLogger } from "@push-reports/service-kit";
import { parseAnswers, sendRaw } from "@push-reports/test-support";
import express, { type Express } from "express";
import { createAppListener } from "../../src/app.js";
import { createFastServer } from "../../src/server/fast-server.js";

const logger = createLogger({ service: "test", level: "silent" });
const ORIGIN = { "access-control-allow-origin": "*" };

describe("what an app leaves unanswered", () => {
  let stop: () => void = () => {};
  afterEach(() => stop());

  const answerOf = async (app: Express, target: string) => {
    const server = createFastServer(app, {}, createAppListener(app, logger));
    server.listen(0, "127.0.0.1");
    stop = () => void server.close();
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const head = `POST ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
    const [answer] = parseAnswers(await sendRaw(port, [head]));
    return answer && { ...answer, body: JSON.parse(answer.body) as unknown };
  };

  it.each(["/nobody", "http://[::1"])("is not found in our form: %s", async (target) => {
    expect(await answerOf(express(), target)).toMatchObject({
      status: 404,
      headers: ORIGIN,
      body: { error: "Not found" },
    });
  });

  it("is an error of ours in our form when it was thrown", async () => {
    const app = express();
    app.use(() => {
      throw new Error("a secret");
    });
    expect(await answerOf(app, "/")).toMatchObject({
      status: 500,
      headers: ORIGIN,
      body: { error: "Something went wrong", description: "Internal server error." },
    });
  });
});
