import { z } from 'zod';
import { Graph } from '../../graph/graph.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import type { AdaptorArchitecture, AdaptorRequest, BuiltAdaptor } from './adaptor.ts';
import { adaptorSettings } from './fit.ts';
import { frameWindows } from './frames.ts';
import { heardFrames } from './heard.ts';
import { frameNorm, qFormer, qFormerMatrices } from './q-former-layers.ts';
import { expectFit, qFormerFields, qFormerSettings } from './q-former-settings.ts';
import { qFormerWeights } from './q-former-weights.ts';

const seconds = z.number().gt(0).max(30);

const fields = {
  ...qFormerFields,
  /** What one group of queries looks at; SALMONN's third of a second by default, or a number of frames from `window_size`. */
  windowSeconds: seconds.optional(),
  /** From one window to the next; by default as long as the window. */
  strideSeconds: seconds.optional(),
  /** The same two, as SALMONN's configuration names them. */
  second_per_window: seconds.optional(),
  second_stride: seconds.optional(),
  /** Frames of a window, as Hugging Face's configurations of such adaptors name it. */
  window_size: z.number().int().min(1).max(3000).optional(),
  /** The last frames that fill no window: `drop`, as SALMONN does, or `pad` with zeros. */
  remainder: z.enum(['drop', 'pad']).default('drop'),
};

const salmonnSeconds = 0.333333;

/** The same queries at every window of time (SALMONN, section 3.1; SiM, section 3.1). */
export const windowQFormerArchitecture: AdaptorArchitecture = {
  name: 'window-q-former',
  build: buildWindowQFormer,
};

function buildWindowQFormer(request: AdaptorRequest): BuiltAdaptor {
  const options = adaptorSettings(fields, request);
  const weights = qFormerWeights(request.weights, options.module);
  const hidden = expectFit(request, weights);
  const { framesPerSecond } = request.encoder;
  const window = windowFrames(options, framesPerSecond);
  const g = new Graph('window-q-former', request.target);
  const { first, second } = weights.frameNorms;
  const norms = { first: frameNorm(g, first), second: frameNorm(g, second) };
  const windows = frameWindows(g, heardFrames(g, request, norms), window);
  const y = qFormer(g, windows, weights, qFormerSettings(options, weights, request));
  g.output('adaptor', g.reshape(y, [1, -1, hidden]), [1, 'tokens', hidden]);
  const queries = weights.queries.shape.at(-2) ?? 1;
  const tokens = { perSecond: (framesPerSecond / window.stride) * queries };
  const matrices = qFormerMatrices(weights);
  return { graph: g, hidden, stack: 1, tokens, selection: 'all', ctcTokens: [], matrices };
}

function windowFrames(options: z.infer<z.ZodObject<typeof fields>>, framesPerSecond: number) {
  const { remainder } = options;
  const windowSeconds = options.windowSeconds ?? options.second_per_window;
  const strideSeconds = options.strideSeconds ?? options.second_stride;
  const frames = (of: number) => roundHalfToEven((framesPerSecond * 30 * of) / 30);
  const kernel =
    windowSeconds === undefined ? (options.window_size ?? frames(salmonnSeconds)) : frames(windowSeconds);
  const stride = strideSeconds === undefined ? kernel : frames(strideSeconds);
  if (kernel < 1 || stride < 1)
    throw shapeMismatch(
      `A window of ${windowSeconds} s every ${strideSeconds ?? windowSeconds} s is no whole frame at ${framesPerSecond} frames a second`,
    );
  return { kernel, stride, remainder };
}

/** As Python rounds, which the published window sizes were computed with. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
