import { ModelError } from '../../../errors.ts';
import { mostPositions, readablePositions } from '../../../layers/positions.ts';
import type { RotarySettings } from '../../../layers/rotary.ts';

export type Activation = 'silu' | 'gelu' | 'gelu-tanh';

/** What a layer's positions look at. Layers of one kind share the object. */
export interface LayerAttention {
  /** Null where positions are not rotated in. */
  readonly rotary: RotarySettings | null;
  /** Positions looked at, the own one included; null for all before it. */
  readonly window: number | null;
}

/** What a decoder of pre-norm blocks with rotary grouped-query attention and a gated feed-forward is, apart from its weights. */
export interface DecoderSettings {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly contextLength: number;
  readonly epsilon: number;
  readonly activation: Activation;
  /** One for each layer. */
  readonly attention: readonly LayerAttention[];
  /** Of the scores. */
  readonly attentionScale: number;
  /** Whether queries and keys are normed head by head before they are rotated. */
  readonly headNorms: boolean;
  /** Whether what a block gives is normed before it is added, as well as what it takes. */
  readonly sandwichNorms: boolean;
  /** Of rows of the token table alone. */
  readonly tokenScale: number;
  /** Of every row that comes in, sound included. */
  readonly rowScale: number;
  /** Of what each block adds. */
  readonly residualScale: number;
  /** Logits are divided by it. */
  readonly logitDivisor: number;
  /** Logits are bent to stay within it, `c · tanh(x / c)`; null where they are not. */
  readonly logitSoftcap: number | null;
  /** Whether the token table is the output matrix too; null where the file shows it by having no other. */
  readonly tied: boolean | null;
}

export type DecoderShape = Pick<
  DecoderSettings,
  'layers' | 'hidden' | 'heads' | 'kvHeads' | 'headSize' | 'contextLength' | 'epsilon'
>;

/** A LLaMA of that shape, all layers alike: what the other families differ from. Throws `not-supported`, naming the file. */
export function plainDecoder(
  path: string,
  shape: DecoderShape,
  rotary: RotarySettings,
  changes: Partial<DecoderSettings> = {},
): DecoderSettings {
  const everywhere: LayerAttention = { rotary, window: null };
  return checked(path, {
    ...shape,
    contextLength: Math.min(mostPositions, shape.contextLength),
    activation: 'silu',
    attention: new Array<LayerAttention>(shape.layers).fill(everywhere),
    attentionScale: 1 / Math.sqrt(shape.headSize),
    headNorms: false,
    sandwichNorms: false,
    tokenScale: 1,
    rowScale: 1,
    residualScale: 1,
    logitDivisor: 1,
    logitSoftcap: null,
    tied: null,
    ...changes,
  });
}

function checked(path: string, settings: DecoderSettings): DecoderSettings {
  const { heads, kvHeads, headSize, attention } = settings;
  const rotated = new Set(attention.map(({ rotary }) => rotary?.dimensions ?? headSize));
  const wrong = [...rotated].filter((size) => size < 2 || size % 2 !== 0 || size > headSize);
  if (heads % kvHeads !== 0 || headSize % 8 !== 0 || wrong.length > 0)
    throw new ModelError(
      'not-supported',
      `${path} has ${heads} heads over ${kvHeads}, ${[...rotated].join(' or ')} of ${headSize} dimensions rotated.`,
      'Heads must divide by key heads, their size by eight, and an even number of dimensions be rotated.',
    );
  return settings;
}

/** Layers that look back no further than a window, or as far as there are positions. */
export function windowWithin(window: number | null, contextLength: number): number | null {
  return window === null || window <= 0 || window >= readablePositions(contextLength) ? null : window;
}
