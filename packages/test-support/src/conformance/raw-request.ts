import { connect } from "node:net";

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** When to stop listening, and what to do once all is sent. */
export interface RawOptions {
  /** @default 3_000 */
  readonly quietMs?: number;
  /** Closes the sending side. @default false */
  readonly halfClose?: boolean;
  /** Connects from this address of the machine. @default 127.0.0.1 */
  readonly localAddress?: string;
  /** Ends it before the server closes. */
  readonly isEnough?: (received: string) => boolean;
}

/** Everything that came back until the server closed, or until `quietMs` passed after the last byte. */
export function sendRaw(
  port: number,
  chunks: readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<string> {
  return new Promise((resolve) => {
    const { localAddress = "127.0.0.1" } = options;
    const socket = connect({ port, host: "127.0.0.1", localAddress, allowHalfOpen: true });
    let text = "";
    const finish = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(options.quietMs ?? 3_000, finish);
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (options.isEnough?.(text)) finish();
    });
    socket.on("end", finish).on("error", finish).on("close", finish);
    for (const chunk of chunks) socket.write(chunk);
    if (options.halfClose === true) socket.end();
  });
}

/** Reads what {@link sendRaw} gave: every answer in order. */
export function parseAnswers(text: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest.startsWith("HTTP/1.1 ")) {
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd < 0) break;
    const [statusLine = "", ...lines] = rest.slice(0, headEnd).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const length = Number(headers["content-length"] ?? 0);
    const body = rest.slice(headEnd + 4, headEnd + 4 + length);
    const status = Number(statusLine.split(" ")[1]);
    if (status !== 100) answers.push({ status, headers, body });
    rest = rest.slice(headEnd + 4 + length);
  }
  return answers;
}
