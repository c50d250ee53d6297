/** A time as text of a ClickHouse `DateTime64(3, 'UTC')`. */
export function formatTime(time: Date): string {
  const iso = time.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}
