import type { Clock, Logger } from "@push-reports/service-kit";
import type { MadeSpillingPublisher } from "./create-publisher.js";
import type { SpillFigures } from "./spill/spill-figures.js";

/** How a drain ended. */
export interface DrainEnd {
  readonly how:
    | "empty"
    /** Nothing left the spill for as long as the caller was patient. */
    | "stuck"
    | "stopped";
  /** Records that this drain took to Kafka. */
  readonly drained: number;
  /** The spill as it was left. */
  readonly figures: SpillFigures;
}

/** What a drain works with, and how long. */
export interface DrainParts {
  readonly made: MadeSpillingPublisher;
  /** Ends the drain when nothing leaves the spill for so long. */
  readonly patienceMs: number;
  /** Ends the drain; a later one goes on where it was. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_AGAIN_MS = 100;
const SAY_EVERY_MS = 5_000;

/**
 * Takes everything that is in a spill to Kafka, as the gateway that left it there would, and exactly once like it: also when it is killed and
 * begun again. Takes no reports itself.
 * @throws SpillInUseError while another process uses the folder.
 */
export async function drainSpill(parts: DrainParts): Promise<DrainEnd> {
  const { publisher } = parts.made;
  await publisher.start();
  try {
    return await watch(parts);
  } finally {
    await publisher.stop();
  }
}

async function watch({ made, patienceMs, signal, clock, logger }: DrainParts): Promise<DrainEnd> {
  const { records: atFirst } = made.figures();
  let least = atFirst;
  let movedAt = clock.now();
  let saidAt = clock.now();
  logger.info("drain_began", { records: atFirst });
  for (;;) {
    const figures = made.figures();
    const now = clock.now();
    if (figures.records < least) {
      least = figures.records;
      movedAt = now;
    }
    const ended = (how: DrainEnd["how"]) => ({ how, drained: atFirst - figures.records, figures });
    if (figures.isUsable && figures.records === 0) return ended("empty");
    if (signal.aborted) return ended("stopped");
    if (now - movedAt > patienceMs) return ended("stuck");
    if (now - saidAt > SAY_EVERY_MS) {
      saidAt = now;
      logger.info("drain_goes_on", { records: figures.records });
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}
