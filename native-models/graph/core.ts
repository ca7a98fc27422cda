import type { Attribute, GraphDefinition, NamedWeight, NodeDefinition, Value, Weight } from './definition.ts';
import { bytesPerElement, type ElementType } from './element-types.ts';
import { type Shape, shapeMismatch, shapeText } from './shape.ts';
import { type FusedOperator, hasFused, type Target } from './target.ts';

/** What a node gives; null where an optional output is left out. */
export type OutputSpecification = { readonly type: ElementType; readonly shape: Shape } | null;
export type Outputs<S extends readonly OutputSpecification[]> = {
  -readonly [K in keyof S]: S[K] extends null ? null : Value;
};

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });

/** State that a graph shares with the branches inside it, so that names stay unique in the whole file. */
interface Scope {
  counter: number;
  readonly names: Set<string>;
  readonly weights: Map<string, NamedWeight>;
}

/**
 * The bare graph: inputs, weights, nodes, outputs. Operators are methods of the classes that extend it; `op` adds any that has
 * no method yet.
 */
export class GraphCore {
  readonly name: string;
  readonly target: Target;
  readonly #scope: Scope;
  readonly #isBranch: boolean;
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #nodes: NodeDefinition[] = [];
  readonly #shared = new Map<string, Value>();

  /** A graph in place of the target makes it a branch of `If`: it sees that graph's values and puts its weights beside its. */
  constructor(name: string, target: Target | GraphCore = 'cpu') {
    const parent = typeof target === 'string' ? null : target;
    this.name = name;
    this.target = typeof target === 'string' ? target : target.target;
    this.#isBranch = parent !== null;
    this.#scope = parent !== null ? parent.#scope : { counter: 0, names: new Set(), weights: new Map() };
  }

  input(name: string, type: ElementType, shape: Shape): Value {
    this.#claim(name);
    const value = { name, type, shape };
    this.#inputs.push(value);
    return value;
  }

  /** Names a value as the graph's output. Its shape may be restated with the names that readers of the graph will see. */
  output(name: string, value: Value, shape: Shape = value.shape): void {
    if (shape.length !== value.shape.length)
      throw shapeMismatch(`Output ${name}: ${shapeText(value.shape)} is not ${shapeText(shape)}`);
    this.#claim(name);
    this.#nodes.push(node('', 'Identity', name, [value.name], [name], {}));
    this.#outputs.push({ name, type: value.type, shape });
  }

  /** A weight under its own name, or the one already there. */
  weight(name: string, weight: Weight): Value {
    const there = this.#scope.weights.get(name);
    if (there === undefined) {
      this.#claim(name);
      this.#scope.weights.set(name, {
        name,
        type: weight.type,
        shape: weight.shape,
        read: () => weight.read(),
        ...(weight.chunks !== undefined && { chunks: weight.chunks.bind(weight) }),
      });
    } else if (there.type !== weight.type || shapeText(there.shape) !== shapeText(weight.shape)) {
      throw shapeMismatch(
        `Weight ${name} is ${shapeText(there.shape)} and ${shapeText(weight.shape)} at once`,
      );
    }
    return { name, type: weight.type, shape: weight.shape };
  }

  /** A small constant; an empty shape is a scalar. Equal constants are written once. */
  constant(type: ElementType, shape: readonly number[], values: readonly number[]): Value {
    const name = `constant.${type}.${shape.join('x') || 'scalar'}.${values.join('_')}`;
    return this.weight(name, { type, shape, read: () => constantBytes(type, values) });
  }

  /** 1-D int64, as shapes, axes and slice bounds are given. */
  int64s(values: readonly number[]): Value {
    return this.constant('int64', [values.length], values);
  }

  /**
   * Adds any operator: `const [y] = g.op('com.microsoft', 'Gelu', [x], {}, [{ type: x.type, shape: x.shape }])`. A null input or
   * output is left out. Nothing is inferred here: the caller states what comes out.
   */
  op<const S extends readonly OutputSpecification[]>(
    domain: string,
    type: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: S,
  ): Outputs<S> {
    const name = `${type}.${this.#scope.counter++}`;
    const values = outputs.map((output, i) =>
      output === null
        ? null
        : { name: outputs.length === 1 ? name : `${name}.${i}`, type: output.type, shape: output.shape },
    );
    const inputNames = inputs.map((value) => value?.name ?? '');
    while (inputNames.at(-1) === '') inputNames.pop();
    const outputNames = values.map((value) => value?.name ?? '');
    this.#nodes.push(node(domain, type, name, inputNames, outputNames, attributes));
    // The mapping keeps length and nulls, which the compiler cannot follow through `map`.
    return values as Outputs<S>;
  }

  /** The graph as plain data. A branch hands its weights to the graph around it. */
  finish(): GraphDefinition {
    return {
      name: this.name,
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes,
      weights: this.#isBranch ? [] : [...this.#scope.weights.values()],
    };
  }

  /** Makes a value once in this graph, however often it is asked for under one name. */
  shared(name: string, make: () => Value): Value {
    const there = this.#shared.get(name) ?? make();
    this.#shared.set(name, there);
    return there;
  }

  /** Whether the target computes an operator itself; otherwise its formula is written out. */
  protected has(operator: FusedOperator): boolean {
    return hasFused(this.target, operator);
  }

  /** Branches name their outputs themselves: they only must differ. */
  protected freshName(stem: string): string {
    return `${stem}.${this.#scope.counter++}`;
  }

  #claim(name: string): void {
    if (this.#scope.names.has(name)) throw shapeMismatch(`Graph ${this.name} has two values named ${name}`);
    this.#scope.names.add(name);
  }
}

function node(
  domain: string,
  type: string,
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
): NodeDefinition {
  return { domain, type, name, inputs, outputs, attributes };
}

function constantBytes(type: ElementType, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * bytesPerElement(type));
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (type === 'float32') view.setFloat32(4 * i, value, true);
    else if (type === 'int64') view.setBigInt64(8 * i, BigInt(value), true);
    else if (type === 'int32') view.setInt32(4 * i, value, true);
    else if (type === 'float16' || type === 'bfloat16')
      throw new Error(`a ${type} constant is given as a weight`);
    else bytes[i] = value;
  });
  return bytes;
}
