/** One sample of a metrics page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads a metrics page in Prometheus' text format, e.g. `http://127.0.0.1:8081/metrics`. */
export async function scrapeMetrics(url: string): Promise<readonly Sample[]> {
  const text = await (await fetch(url)).text();
  return text
    .split("\n")
    .map((line) => /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line))
    .flatMap((match) => {
      if (match === null) return [];
      const [, name = "", labels = "", value = ""] = match;
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(
        ([, key = "", text = ""]) => [key, text] as const,
      );
      return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
    });
}

/** The value of a series without labels; NaN when it is not there. */
export function sampleOf(samples: readonly Sample[], name: string): number {
  return samples.find((sample) => sample.name === name)?.value ?? Number.NaN;
}

/** The values of a series by one of its labels. */
export function valuesBy(
  samples: readonly Sample[],
  name: string,
  label: string,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    samples
      .filter((sample) => sample.name === name)
      .map(({ labels, value }) => [labels[label] ?? "", value]),
  );
}
