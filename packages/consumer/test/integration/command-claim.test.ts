import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { systemClock } from "@push-reports/service-kit";
import { describeWithContainers, sharedClickHouse } from "@push-reports/test-support";
import { withClaim } from "../../src/command-claim.js";
import { WriteError } from "../../src/report-writer.js";
import { AnalystDatabase } from "../support/analysts/database.js";

const ROUNDS = 20;
const BESIDE = 4;

describeWithContainers("claims of commands", ["clickhouse"], () => {
  let database: AnalystDatabase;

  beforeAll(async () => {
    database = await AnalystDatabase.create(await sharedClickHouse());
  });
  afterAll(async () => database.close());

  const claim = async (work: () => Promise<void>) => {
    const { statements, name } = database;
    await withClaim("replay", { statements, database: name, clock: systemClock }, async (held) => {
      await held.renew();
      await work();
      await held.renew();
    });
  };

  it("are never held by two, however many ask at the same moment, and by the next one once they are over", async () => {
    let [atWork, most, refused, done] = [0, 0, 0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(
        Array.from({ length: BESIDE }, async (_, asker) => {
          // From all at once to one after the other.
          await systemClock.sleep(asker * round);
          await claim(async () => {
            atWork += 1;
            most = Math.max(most, atWork);
            await systemClock.sleep(20);
            atWork -= 1;
            done += 1;
          }).catch((error: unknown) => {
            expect(error).toMatchObject({ code: "claimed" });
            refused += 1;
          });
        }),
      );
      // Of those that ask at the same moment all may have given way; whoever asks after them is let in.
      await claim(async () => undefined);
    }
    expect(most).toBeLessThanOrEqual(1);
    expect(done + refused).toBe(ROUNDS * BESIDE);
    expect(refused).toBeGreaterThan(0);
  });

  it("are kept where it is not known what the database is still at, and given back after any other failure", async () => {
    const failing = (failure: "misconfigured" | "passes_with_time") =>
      claim(async () => {
        throw new WriteError(failure, 0, failure);
      });
    await expect(failing("misconfigured")).rejects.toMatchObject({ failure: "misconfigured" });
    await expect(failing("passes_with_time")).rejects.toMatchObject({
      failure: "passes_with_time",
    });
    await expect(claim(async () => undefined)).rejects.toMatchObject({ code: "claimed" });
  });
});
