/** Something that is not as it must be; each is a stretch of one partition. */
export interface Discrepancy {
  readonly kind: /** No range covers these offsets, though later ones are complete or committed. */
    | "gap"
    /** More than one range covers these offsets. */
    | "overlap"
    /** The range has fewer or more rows than were booked, or the same offset twice. */
    | "wrong_rows"
    /** Dead letters of the range are gone that were booked, and nobody erased them. */
    | "lost_dead_letters"
    /** The log ends before what was read from it. */
    | "log_ends_early"
    /** The log no longer held these offsets when they were to be read: retention was too short. */
    | "absent";
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly detail: string;
}

/** One of a row that the database answered. */
export function discrepancy(
  kind: Discrepancy["kind"],
  row: { partition: number; first: string | number; last: string | number },
  detail: string,
): Discrepancy {
  const { partition } = row;
  return { kind, partition, first: Number(row.first), last: Number(row.last), detail };
}
