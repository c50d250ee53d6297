import type { LinkTarget, Translation } from "./network-link.js";

/** Bytes before each answer of a broker that say how long it is. */
const SIZE_BYTES = 4;

/**
 * Clients go where brokers say that they are. So in every answer the address of a broker, a text with its length before it and a port behind
 * it, gets the port of the link that leads there, and clients take the link.
 * @param portOf the port that stands for a broker; undefined before it is known.
 */
export function throughLinks(
  brokers: readonly LinkTarget[],
  portOf: (broker: LinkTarget) => number | undefined,
): Translation {
  return () => {
    let begun = Buffer.alloc(0);
    return (bytes) => {
      begun = Buffer.concat([begun, bytes]);
      const answers: Buffer[] = [];
      for (let answer = firstOf(begun); answer !== null; answer = firstOf(begun)) {
        begun = begun.subarray(answer.length);
        for (const broker of brokers) readdress(answer, broker, portOf(broker));
        answers.push(answer);
      }
      return answers;
    };
  };
}

/** The first answer in what has come, or null when it is not complete. */
function firstOf(bytes: Buffer): Buffer | null {
  if (bytes.length < SIZE_BYTES) return null;
  const end = SIZE_BYTES + bytes.readInt32BE(0);
  return bytes.length < end ? null : bytes.subarray(0, end);
}

function readdress(answer: Buffer, { host, port }: LinkTarget, linked: number | undefined): void {
  if (linked === undefined) return;
  const address = addressOf(host, port);
  for (let at = answer.indexOf(address); at >= 0; at = answer.indexOf(address, at + 1))
    answer.writeInt32BE(linked, at + address.length - 4);
}

/** As the Kafka protocol writes it. */
function addressOf(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(2 + host.length + 4);
  bytes.writeInt16BE(host.length, 0);
  bytes.write(host, 2, "latin1");
  bytes.writeInt32BE(port, 2 + host.length);
  return bytes;
}
