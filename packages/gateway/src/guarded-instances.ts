import { createHash, timingSafeEqual } from "node:crypto";
import { CANARY_INSTANCE_ID } from "@push-reports/report";
import type { Instances } from "./instances.js";

/**
 * Keeps the canary's reserved instance to those who know the secret, whatever the list of instances says: nobody else can forge its
 * reports, and it need not be listed.
 * @param secret null keeps it from everybody.
 */
export function guardInstances(instances: Instances, secret: string | null): Instances {
  const expected = secret === null ? null : digestOf(secret);
  return {
    has: (instanceId, canarySecret) =>
      instanceId === CANARY_INSTANCE_ID
        ? expected !== null &&
          typeof canarySecret === "string" &&
          timingSafeEqual(digestOf(canarySecret), expected)
        : instances.has(instanceId),
  };
}

/** Of equal length whatever the text, as the comparison needs. */
const digestOf = (text: string) => createHash("sha256").update(text).digest();
