import type { GraphDefinition, Value } from './definition.ts';
import { FusedAttention } from './fused/attention.ts';
import { shapeMismatch } from './shape.ts';

export type { GroupQueryAttentionInputs } from './fused/attention.ts';
export type { BlockQuantized } from './fused/products.ts';

/**
 * A graph under construction. Values are handles that carry element type and shape, so that a formula reads as such and a weight
 * that does not fit is refused where it is used, with both shapes named. Operators are methods: those of the ONNX standard
 * (operators/), and ONNX Runtime's fused ones (fused/), which become their formula where the target lacks them.
 */
export class Graph extends FusedAttention {
  /** Computes one branch only. Both must give as many values, of the same types; they see everything outside. */
  if(
    condition: Value,
    then: (branch: Graph) => readonly Value[],
    otherwise: (branch: Graph) => readonly Value[],
  ): Value[] {
    const build = (name: string, body: (branch: Graph) => readonly Value[]) => {
      const branch = new Graph(this.freshName(name), this);
      const values = body(branch);
      for (const value of values) branch.output(this.freshName(`${name}.output`), value);
      return { graph: branch.finish(), values };
    };
    const yes = build('then', then);
    const no = build('else', otherwise);
    if (yes.values.map(({ type }) => type).join() !== no.values.map(({ type }) => type).join())
      throw shapeMismatch('If: the branches give different values');
    const graph = (value: GraphDefinition) => ({ kind: 'graph', value }) as const;
    const attributes = { then_branch: graph(yes.graph), else_branch: graph(no.graph) };
    return this.op('', 'If', [condition], attributes, yes.values);
  }
}
