import { labelsOf, type MeasuredService } from "./measured-services.js";

const INTRODUCTION = `# Metrics

Generated from the series that the services register: \`npm run docs\` writes it.

Each service serves them at \`/metrics\` on its operations port, together with the series of its process (\`process_…\` and
\`nodejs_…\`: processor time, memory, event-loop delay, garbage collection). No label takes its values from requests.
`;

/** docs/metrics.md: one table a service. */
export async function metricsPage(services: readonly MeasuredService[]): Promise<string> {
  return [INTRODUCTION, ...(await Promise.all(services.map(serviceSection)))].join("\n");
}

async function serviceSection({ name, registry }: MeasuredService): Promise<string> {
  const series = await registry.getMetricsAsJSON();
  const rows = series
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"))
    .map((metric) => {
      const labels = labelsOf(registry, metric.name).map((label) => `\`${label}\``);
      return `| \`${metric.name}\` | ${metric.type} | ${labels.join(", ") || "–"} | ${metric.help} |`;
    });
  const head = "| series | type | labels | what it is |\n| --- | --- | --- | --- |";
  return `## ${name}\n\n${head}\n${rows.join("\n")}\n`;
}
