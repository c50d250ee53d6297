import { connect, type Socket } from "node:net";

/** One kind of request, as bytes, and what becomes of it. */
interface Kind {
  readonly name: MixedKind;
  /** Of so many requests in all kinds together. */
  readonly weight: number;
  readonly bytes: (deviceId: string) => string;
  /** What the client does once it has sent the bytes. */
  readonly end: "answer" | "close" | "reset";
  /** Expected of those who wait; null where no answer is waited for. */
  readonly status: 200 | 400 | null;
}

export type MixedKind =
  | "good"
  | "leaves after its body"
  | "leaves in the middle of its body"
  | "resets in the middle of its body"
  | "invalid_content_type"
  | "missing_instance_id"
  | "invalid_instance_id"
  | "unreadable_body"
  | "unreadable_request"
  | "missing_field"
  | "invalid_field";

/** What was sent and what came back. */
export interface MixedLoad {
  readonly sent: Readonly<Record<MixedKind, number>>;
  /** Of those who wait: answers by status, and connections that ended without one. */
  readonly answers: Readonly<Record<string, number>>;
  readonly unexpected: readonly string[];
}

const JSON_TYPE = "application/json";

function post(instance: string, type: string, body: string, length = body.length): string {
  return `POST /reporting_api/v2/instances${instance}/events HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

const reportOf = (deviceId: string, more: object = {}) =>
  JSON.stringify({ event: "open", publishId: "mixed", deviceId, timestampSecs: 1, ...more });

function kindsOf(instanceId: string): readonly Kind[] {
  const instance = `/${instanceId}`;
  const good = (id: string) => post(instance, JSON_TYPE, reportOf(id));
  const half = (id: string) => post(instance, JSON_TYPE, reportOf(id).slice(0, 20), 900);
  const refused = (name: MixedKind, weight: number, bytes: Kind["bytes"]): Kind => ({
    name,
    weight,
    bytes,
    end: "answer",
    status: 400,
  });
  return [
    { name: "good", weight: 50, bytes: good, end: "answer", status: 200 },
    { name: "leaves after its body", weight: 4, bytes: good, end: "close", status: null },
    {
      name: "leaves in the middle of its body",
      weight: 2,
      bytes: half,
      end: "close",
      status: null,
    },
    {
      name: "resets in the middle of its body",
      weight: 2,
      bytes: half,
      end: "reset",
      status: null,
    },
    refused("invalid_content_type", 6, (id) => post(instance, "text/plain", reportOf(id))),
    refused("missing_instance_id", 6, (id) => post("", JSON_TYPE, reportOf(id))),
    refused("invalid_instance_id", 6, (id) => post("/x", JSON_TYPE, reportOf(id))),
    refused("unreadable_body", 6, () => post(instance, JSON_TYPE, "{")),
    refused("unreadable_request", 4, () => `POST x\r\n\r\n`),
    refused("missing_field", 8, (id) => post(instance, JSON_TYPE, reportOf(id, { event: null }))),
    refused("invalid_field", 6, (id) => post(instance, JSON_TYPE, reportOf(id, { userId: 1 }))),
  ];
}

/** Sends `count` requests of all kinds in random order over so many connections, which are opened anew as often as they end. */
export async function sendMixedLoad(options: {
  readonly port: number;
  readonly instanceId: string;
  readonly count: number;
  readonly connections: number;
}): Promise<MixedLoad> {
  const kinds = kindsOf(options.instanceId);
  const lots = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  const sent = Object.fromEntries(kinds.map(({ name }) => [name, 0])) as Record<MixedKind, number>;
  const answers: Record<string, number> = {};
  const unexpected: string[] = [];
  let begun = 0;
  const sendOnOneConnection = async () => {
    let client = await Client.open(options.port);
    while (begun < options.count) {
      begun += 1;
      const kind = lots[Math.floor(Math.random() * lots.length)] as Kind;
      sent[kind.name] += 1;
      const answer = await client.send(kind.bytes(`mixed-${begun}`), kind.end);
      if (kind.end === "answer") {
        answers[answer ?? "none"] = (answers[answer ?? "none"] ?? 0) + 1;
        if (answer !== String(kind.status)) unexpected.push(`${kind.name}: ${answer}`);
      }
      if (client.isGone) client = await Client.open(options.port);
    }
    client.leave();
  };
  await Promise.all(Array.from({ length: options.connections }, sendOnOneConnection));
  return { sent, answers, unexpected };
}

/** One connection, one request at a time. */
class Client {
  readonly #socket: Socket;
  #onAnswer: (status: string | null) => void = () => {};
  isGone = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // Refusals and acceptances are one segment each here: their status is in the first bytes.
    socket.on("data", (bytes: Buffer) => {
      if (/connection: close/i.test(bytes.toString("latin1"))) this.leave();
      this.#onAnswer(bytes.toString("latin1", 9, 12));
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isGone = true;
      this.#onAnswer(null);
    });
  }

  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Client(socket)));
      socket.once("error", reject);
    });
  }

  /** Resolves with the status, or null when there is none. */
  send(bytes: string, end: Kind["end"]): Promise<string | null> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
      this.#socket.write(bytes, () => {
        if (end === "close") this.leave();
        if (end === "reset") this.#socket.resetAndDestroy();
      });
    });
  }

  leave(): void {
    this.isGone = true;
    this.#socket.destroy();
  }
}
