/** A migration cannot be applied: the file has no number or is no longer what was applied, or its SQL has no form for this server. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
  readonly code = "migration_invalid";
}
