import { setTimeout as delay } from "node:timers/promises";
import type { Answer, ClickHouseProxy, Exchange } from "./clickhouse-proxy.js";
import type { AnswerKind } from "./planned-answers.js";

/** As ClickHouse answers it. */
export const passOn: AnswerKind = async ({ response, execute }) => write(response, await execute());

/** Executed at once, answered late. */
export const late =
  (ms: number): AnswerKind =>
  async ({ response, execute }) => {
    const answer = await execute();
    await delay(ms);
    write(response, answer);
  };

/** Lost on the way: neither executed nor answered. The consumer waits until its own timeout. */
export const lost: AnswerKind = async () => undefined;

/** Executed, and the answer is lost. */
export const answerLost: AnswerKind = async ({ execute }) => {
  await execute();
};

/** The connection is cut before ClickHouse has the statement. */
export const cutBefore: AnswerKind = async ({ response }) => {
  response.destroy();
};

/** The connections are cut when ClickHouse has half of the rows. */
export const cutWithin: AnswerKind = async ({ response, executeHalf }) => {
  await executeHalf();
  response.destroy();
};

/** The connection is cut in the middle of the answer to a statement that was executed. */
export const cutInAnswer: AnswerKind = async ({ response, execute }) => {
  await execute();
  response.writeHead(200, { "content-length": 100 });
  await new Promise<void>((resolve) => response.write("{", () => resolve()));
  response.destroy();
};

/** Refused with a code of ClickHouse's, not executed. */
export const refused =
  (code: number): AnswerKind =>
  async ({ response }) =>
    write(response, refusal(code));

/** Executed, and a failure is answered all the same, as when a server gives up after it wrote. */
export const refusedThoughExecuted =
  (code: number): AnswerKind =>
  async ({ response, execute }) => {
    await execute();
    write(response, refusal(code));
  };

/** Kept back until `released`, then executed, whether the consumer still lives or not. */
export const keptBack =
  (onKept: (proxy: ClickHouseProxy) => void, released: Promise<void>): AnswerKind =>
  async ({ proxy, response, execute }) => {
    onKept(proxy);
    await released;
    write(response, await execute());
  };

function refusal(code: number): Answer {
  const text = `Code: ${code}. DB::Exception: refused by the test (CODE_OF_THE_TEST) (version 26.7)`;
  const headers = { "x-clickhouse-exception-code": String(code) };
  return { status: 500, headers, body: Buffer.from(text) };
}

function write(response: Exchange["response"], { status, headers, body }: Answer): void {
  const { connection: _, "transfer-encoding": __, ...kept } = headers;
  response.writeHead(status, { ...kept, "content-length": body.length });
  response.end(body);
}
