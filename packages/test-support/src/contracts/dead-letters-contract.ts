import type { SetAside } from "@push-reports/consumer";
import { jestGlobals } from "../jest-globals.js";
import type { DatabaseUnderTest } from "./database-under-test.js";

type BadRecord = SetAside["records"][number];

/** Declares the tests that every place for dead letters passes. @param database of this suite alone. */
export function deadLettersContract(
  database: () => Pick<DatabaseUnderTest, "source" | "deadLetters" | "keptDeadLetters">,
): void {
  const { expect, it } = jestGlobals();
  let partition = 400;
  const aPlace = () => {
    partition += 1;
    const { deadLetters, source, keptDeadLetters } = database();
    const at = partition;
    const progress = { count: 0 };
    return {
      setAside: (name: string, ...records: readonly BadRecord[]) =>
        deadLetters.setAside({ name, source, partition: at, records }, () => {
          progress.count += 1;
        }),
      progress,
      kept: () => keptDeadLetters(at),
    };
  };
  const bad = (offset: number, more: Partial<BadRecord["record"]> = {}): BadRecord => ({
    record: {
      offset,
      timestampMs: 1_767_323_045_678,
      key: Buffer.from(`key-${offset}`),
      value: Buffer.from("no report"),
      headers: { v: Buffer.from("1") },
      ...more,
    },
    reason: "not_json",
    detail: "It is no JSON",
    clickHouseCode: 0,
  });

  it("keeps the record's own bytes and the reason", async () => {
    const { setAside, kept } = aPlace();
    const bytes = Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x0a, 0x22]);
    await setAside(
      "a",
      bad(1, { key: bytes, value: bytes, headers: { v: Buffer.from("9"), odd: bytes } }),
      { ...bad(2, { key: null, value: null, headers: {} }), reason: "empty_value" },
    );
    expect(await kept()).toEqual([
      {
        offset: 1,
        reason: "not_json",
        key: bytes,
        value: bytes,
        headers: { v: Buffer.from("9"), odd: bytes },
      },
      { offset: 2, reason: "empty_value", key: null, value: null, headers: {} },
    ]);
  });

  it("counts a record once, however often it is set aside and with whatever others", async () => {
    const { setAside, kept } = aPlace();
    await setAside("a", bad(1), bad(2));
    await setAside("a", bad(1), bad(2));
    await setAside("b", bad(2), bad(3));
    await setAside("a", bad(1));
    expect((await kept()).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  it("keeps all of very many, and large ones, and tells that it gets on", async () => {
    const { setAside, kept, progress } = aPlace();
    const many = Array.from({ length: 3_000 }, (_, n) => bad(n, { value: Buffer.alloc(300, n) }));
    await setAside("many", ...many, bad(3_000, { value: Buffer.alloc(700_000, "x") }));
    expect(progress.count).toBeGreaterThan(0);
    const all = await kept();
    expect(all).toHaveLength(3_001);
    expect(all.at(-1)?.value).toHaveLength(700_000);
  });
}
