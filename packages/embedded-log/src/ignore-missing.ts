/** Gives null for a system's error that says that there is no such file. @throws any other. */
export function ignoreMissing(error: unknown): null {
  if ((error as { readonly code?: unknown }).code === "ENOENT") return null;
  throw error;
}
