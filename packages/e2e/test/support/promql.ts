import { parser } from "@prometheus-io/lezer-promql";

/** One selector of an expression: `name{label="value"}`. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly {
    readonly label: string;
    readonly operator: string;
    readonly value: string;
  }[];
}

/** What an expression speaks of. */
export interface PromqlParts {
  readonly isValid: boolean;
  readonly selectors: readonly Selector[];
  /** Labels by which it groups or matches. */
  readonly grouping: readonly string[];
}

/** Reads an expression by Prometheus' own grammar. */
export function readPromql(expression: string): PromqlParts {
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  let isValid = true;
  const tree = parser.parse(expression);
  type Node = typeof tree.topNode;
  const textOf = ({ from, to }: Node) => expression.slice(from, to);
  tree.iterate({
    enter: ({ type, node }) => {
      if (type.isError) isValid = false;
      if (type.name === "VectorSelector") selectors.push(readSelector(node, textOf));
      if (type.name === "GroupingLabels")
        grouping.push(...node.getChildren("LabelName").map(textOf));
    },
  });
  return { isValid, selectors, grouping };

  function readSelector(selector: Node, text: (node: Node) => string): Selector {
    const [name] = selector.getChildren("Identifier");
    const matchers = selector
      .getChildren("LabelMatchers")
      .flatMap((all) => all.getChildren("UnquotedLabelMatcher"))
      .map((matcher) => {
        const [label, operator, value] = ["LabelName", "MatchOp", "StringLiteral"].map((child) => {
          const node = matcher.getChild(child);
          return node === null ? "" : text(node);
        });
        return { label: label ?? "", operator: operator ?? "", value: (value ?? "").slice(1, -1) };
      });
    return { metric: name === undefined ? "" : text(name), matchers };
  }
}
