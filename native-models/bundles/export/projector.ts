import type { Activation } from '../../architectures/adaptors/activation.ts';
import { adaptorSettings as checkedSettings } from '../../architectures/adaptors/fit.ts';
import { activationBetween } from '../../architectures/adaptors/layer-chain.ts';
import { mlpFields } from '../../architectures/adaptors/mlp.ts';
import { type Layer, moduleLayers } from '../../architectures/adaptors/module-layers.ts';
import { stackFields } from '../../architectures/adaptors/stack.ts';
import { layerAt } from '../../architectures/adaptors/tensor-names.ts';
import { projectorPrefix, ultravoxFields } from '../../architectures/adaptors/ultravox.ts';
import type { StreamedTensor } from '../../formats/safetensors-stream.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { exportedTensor } from './exported-tensor.ts';

export interface Projector {
  /** Encoder frames to a token. */
  readonly stack: number;
  /** As transformers and vLLM name it; `swiglu` is Ultravox's own. */
  readonly activation: string;
  /** Whether the second norm stands before the second matrix (Ultravox 0.5 on) and not at the end. */
  readonly normsMiddle: boolean;
  /** Rows of the first matrix, the gate's included. */
  readonly width: number;
  readonly tensors: readonly StreamedTensor[];
}

export interface ProjectorRequest {
  readonly architecture: string;
  readonly weights: TensorSource;
  /** Of the recipe's adaptor, and beside its weights, as the foundry reads them. */
  readonly options: object;
  readonly config: object;
  /** Width of an encoder frame. */
  readonly heard: number;
  /** Makes the error of an adaptor that Ultravox's projector does not compute. */
  readonly refused: (fault: string) => Error;
}

/** Architectures that may be Ultravox's projector. */
export const projectorArchitectures: readonly string[] = ['ultravox', 'mlp', 'stack'];

/**
 * An adaptor as Ultravox's projector, when it computes the very same: RMS norm, matrix, activation, matrix, and a second RMS norm
 * before the second matrix or after it. Throws what `refused` makes of anything else: no weights turn a linear layer into one that
 * norms what it reads, or take a bias.
 */
export function projectorOf(request: ProjectorRequest): Projector {
  if (request.architecture === 'ultravox') return ofUltravox(request);
  if (request.architecture === 'mlp') {
    const { module, activation, projector_hidden_act } = checkedSettings(mlpFields, request);
    return ofChain(
      request,
      moduleLayers(request.weights, module),
      activation ?? projector_hidden_act ?? 'gelu',
    );
  }
  if (request.architecture !== 'stack') throw request.refused(`its adaptor is ${request.architecture}`);
  const { module, remainder, activation } = checkedSettings(stackFields, request);
  const layers = moduleLayers(request.weights, module);
  const projector = ofChain(request, layers, activation);
  if (remainder === 'drop' && projector.stack > 1)
    throw request.refused(
      'its adaptor leaves off the last frames of a clip, which Ultravox fills with zeros',
    );
  return projector;
}

type Part = 'ln_pre' | 'linear_1' | 'ln_mid' | 'linear_2' | 'ln_post';

function ofUltravox(request: ProjectorRequest): Projector {
  const { weights } = request;
  const { projector_act: activation } = checkedSettings(ultravoxFields, request);
  const prefix = projectorPrefix(weights);
  const optional: readonly Part[] = ['ln_mid', 'ln_post'];
  const parts: readonly Part[] = ['ln_pre', 'linear_1', 'ln_mid', 'linear_2', 'ln_post'];
  const found = parts
    .filter((part) => !optional.includes(part) || weights.has(`${prefix}${part}.weight`))
    .map((part) => [part, { path: part, ...layerAt(weights, `${prefix}${part}.`) }] as const);
  return written(
    request,
    new Map(found),
    activation === 'swiglu' ? activation : plainName(request, activation),
  );
}

/** Dimensions of the weights of each layer, in the two orders that Ultravox has. */
const chains: Readonly<Record<string, readonly Part[]>> = {
  '1,2,1,2': ['ln_pre', 'linear_1', 'ln_mid', 'linear_2'],
  '1,2,2,1': ['ln_pre', 'linear_1', 'linear_2', 'ln_post'],
};

function ofChain(request: ProjectorRequest, layers: readonly Layer[], activation: Activation): Projector {
  const parts = chains[layers.map(({ weight }) => weight.shape.length).join()];
  const active = layers.map((_, i) => i > 0 && activationBetween(layers, i));
  // Ultravox's one activation follows the first matrix directly.
  if (parts === undefined || active.some((is, i) => is !== (i === 2)))
    throw request.refused(
      `its adaptor ${request.architecture} is not RMS norm, matrix, activation, matrix and one more RMS norm`,
    );
  const placed = parts.flatMap((part, i) => {
    const layer = layers[i];
    return layer === undefined ? [] : [[part, layer] as const];
  });
  return written(request, new Map(placed), plainName(request, activation));
}

/** What transformers and vLLM both know by this name. */
function plainName({ refused }: ProjectorRequest, activation: Activation): string {
  if (activation === 'none') throw refused('its adaptor has no activation');
  return activation === 'swish' ? 'silu' : activation;
}

function written(
  { heard, refused }: ProjectorRequest,
  layers: ReadonlyMap<Part, Layer>,
  activation: string,
): Projector {
  const biased = [...layers.values()].find(({ bias }) => bias !== null);
  if (biased?.bias) throw refused(`its adaptor has the bias ${biased.bias.name}`);
  if (layers.has('ln_mid') === layers.has('ln_post'))
    throw refused('its adaptor has norms both before and after its second matrix');
  const [width = 0, reads = 0] = layers.get('linear_1')?.weight.shape ?? [];
  return {
    stack: reads / heard,
    activation,
    normsMiddle: layers.has('ln_mid'),
    width,
    tensors: [...layers].map(([part, { weight }]) =>
      exportedTensor(`multi_modal_projector.${part}.weight`, weight),
    ),
  };
}
