// Module hooks: give the source of one file with one text in it replaced, and note in a global that it was done.
let mutant;

export function initialize(data) {
  mutant = data;
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith(mutant.file)) return loaded;
  const parts = String(loaded.source).split(mutant.find);
  if (parts.length !== 2)
    throw new Error(
      `The mutant "${mutant.name}" fits ${parts.length - 1} places of ${mutant.file}, not one: mend mutants.ts`,
    );
  const note = `\nglobalThis.appliedMutant = ${JSON.stringify(mutant.name)};\n`;
  return { ...loaded, source: `${parts.join(mutant.replace)}${note}` };
}
