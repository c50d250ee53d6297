/**
 * Names the ports that several parts of one process want, one sentence a port.
 * @param ports by the names of their options; undefined where there is none, 0 where it is any free one.
 */
export function equalPorts(ports: Readonly<Record<string, number | undefined>>): readonly string[] {
  const names = Object.keys(ports);
  return [...new Set(Object.values(ports))].flatMap((port) => {
    const wanting = names.filter((name) => ports[name] === port);
    if (!port || wanting.length < 2) return [];
    return [`${wanting.join(" and ")} are the same, ${port}: each needs a port of its own`];
  });
}
