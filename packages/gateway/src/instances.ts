/** Which Beams instances may report here. */
export interface Instances {
  /** @param instanceId a UUID in lower case. @param canarySecret the header that the canary's reports carry, as it came. */
  has(instanceId: string, canarySecret?: string | readonly string[]): boolean;
}

/** Every instance may report. */
export const ANY_INSTANCE: Instances = { has: () => true };

/** Those that the configuration lists. @param instanceIds UUIDs in any case. */
export function listedInstances(instanceIds: readonly string[]): Instances {
  return new Set(instanceIds.map((id) => id.toLowerCase()));
}
