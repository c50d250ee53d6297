import { collectDefaultMetrics, type Registry } from "prom-client";

/** prom-client's own 10 ms wake an idle process a hundred times a second, some 0.6 % of a core. */
const EVENT_LOOP_LOOK_MS = 100;

/** Adds what every process tells of itself: processor time, memory, open files, garbage collection, lag of the event loop. */
export function collectProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: EVENT_LOOP_LOOK_MS });
}
