import type { Random } from "./random.js";
import type { World } from "./world.js";

/** One thing that goes wrong while a group consumes. */
export interface Fault {
  readonly title: string;
  /** Lets it happen and mends it; at least one consumer is running afterwards. */
  strike(world: World): Promise<void>;
}

/** Chooses the particulars of a fault. */
export type FaultMaker = (random: Random) => Fault;
