import type { ReportRecord } from "@push-reports/report";
import type { ProducerIdentity } from "@push-reports/service-kit";

/** Why a record could not be made durable. */
export type PublishErrorCode =
  /** More bytes wait than may wait; nothing was sent. */
  | "overloaded"
  /** No acknowledgement within the time for one; the record may be durable or not. */
  | "timeout"
  /** The queue cannot be reached or cannot take records now. */
  | "unavailable"
  /** The publisher is stopping and takes no new records. */
  | "stopping";

/** Where a record may lie although no one said so. Whatever sends it again needs both, and marks it `again`. */
export interface SentTo {
  readonly partition: number;
  /**
   * To be sent again under: no other record's is the same. Once the partition has a batch of it, what is still under way of the first send is
   * refused, so that a copy can only lie at a lower offset, where the consumer looks for it.
   */
  readonly resendAs: ProducerIdentity;
}

/** A record that is not known to be durable: the client must be told to come again. */
export class PublishError extends Error {
  override readonly name = "PublishError";
  readonly code: PublishErrorCode;
  /** Where the record may be durable, or null when it was sent nowhere. */
  readonly sentTo: SentTo | null;

  constructor(
    code: PublishErrorCode,
    message: string,
    more: { readonly sentTo?: SentTo; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.sentTo = more.sentTo ?? null;
  }
}

/** Where a record is durable: on the queue that consumers read, or on this machine's disk until that queue takes it. */
export type Kept = "published" | "spilled";

/** Makes records durable. */
export interface ReportPublisher {
  /**
   * Resolves once the record survives the loss of any one machine or process that the deployment is built to lose:
   * every in-sync replica has it, or it is fsynced. @throws PublishError
   */
  publish(record: ReportRecord): Promise<Kept>;
  /** Whether records are being taken now; for people and metrics, since refusing is the gateway's own answer. */
  isHealthy(): boolean;
}
