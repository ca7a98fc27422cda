import { describe, expect, it } from 'vitest';
import type { AdaptorRequest } from '../../../native-models/architectures/adaptors/adaptor.ts';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import { numberedSource } from '../../fixtures/foundry/numbered-weights.ts';
import { salmonnShapes } from '../../parity/adaptors/q-former-shapes.ts';
import { floats, runGraph, valuesOf } from '../graph/run-graph.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;

function build(architecture: string, shapes: Shapes, change: Partial<AdaptorRequest> = {}) {
  return adaptorArchitecture(architecture).build({
    weights: numberedSource(shapes),
    config: {},
    options: {},
    encoder: { hidden: 8, framesPerSecond: 50 },
    secondEncoder: null,
    llm: null,
    kind: 'float',
    target: 'cpu',
    ...change,
  });
}

const llm = { hidden: 12, embeddings: numberedSource({ table: [4, 12] }).tensor('table') };
const linear = { weight: [12, 8], bias: [12] };

describe('an adaptor that does not fit', () => {
  it('its encoder is refused with both widths', () => {
    const encoder = { hidden: 10, framesPerSecond: 50 };
    expect(() => build('linear', linear, { encoder })).toThrow(
      /vectors of 8, the encoder gives vectors of 10/,
    );
    const stacked = { 'adaptor.weight': [12, 40] };
    expect(() => build('stack', stacked, { encoder, options: { stack: 5 } })).toThrow(
      /vectors of 40, the encoder gives 5 stacked vectors of 10/,
    );
    const projector = { 'ln_pre.weight': [40], 'linear_1.weight': [8, 40], 'linear_2.weight': [12, 4] };
    expect(() => build('ultravox', projector, { encoder, options: { stack: 8 } })).toThrow(
      /vectors of 40, the encoder gives 8 stacked vectors of 10/,
    );
  });

  it('its LLM is refused with both widths', () => {
    const narrow = { hidden: 16, embeddings: llm.embeddings };
    expect(() => build('linear', linear, { llm: narrow })).toThrow(
      /gives vectors of 12, the LLM reads vectors of 16/,
    );
    expect(build('linear', linear, { llm }).hidden).toBe(12);
  });

  it('its architecture is refused with the layers that its file has', () => {
    const two = { 'proj.0.weight': [9, 8], 'proj.2.weight': [12, 9] };
    expect(() => build('linear', two)).toThrow(/proj\.0\.weight \[9, 8\], proj\.2\.weight \[12, 9\]/);
    expect(() => build('mlp', linear)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(() => build('conv', two)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(() => build('q-former', two)).toThrow(/holds no Q-Former/);
    expect(() => build('ultravox', two)).toThrow(/no multi_modal_projector\.ln_pre\.weight/);
  });

  it('its recipe is refused by the name of the field', () => {
    const options = (given: object) => () => build('linear', linear, { options: given });
    expect(options({ rnk: 3 })).toThrow(/rnk/);
    expect(options({ rank: 0 })).toThrow(/rank/);
    expect(options({ rank: 9 })).toThrow(/has no 9 singular values/);
    const conv = { '0.weight': [8, 8, 3], '2.weight': [12, 8, 3] };
    expect(() => build('conv', conv, { options: { strides: [2] } })).toThrow(
      /1 convolutions, the weights have 2/,
    );
    expect(() => build('conv', conv, { options: { strides: [2, 0] } })).toThrow(/stride/);
  });
});

describe("an adaptor's layers", () => {
  it('are found inside a checkpoint by the names that publishers use, and by the name in the recipe', () => {
    const around = { 'encoder.layers.0.weight': [8, 8], 'llm.lm_head.weight': [99, 12] };
    const known = { ...around, 'model.multi_modal_projector.weight': [12, 8] };
    expect(build('linear', known).matrices.map(({ name }) => name)).toEqual([
      'model.multi_modal_projector.weight',
    ]);
    const unknown = { ...around, 'bridge.weight': [12, 8] };
    expect(() => build('linear', unknown)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(build('linear', unknown, { options: { module: 'bridge' } }).hidden).toBe(12);
    expect(() => build('linear', unknown, { options: { module: 'bride' } })).toThrow(/no module bride/);
  });

  it('come in the order of their numbers, not of their letters', () => {
    const shapes = Object.fromEntries(
      [2, 10, 0].map((at, i) => [
        `adaptor.${at}.weight`,
        [
          [9, 8],
          [12, 9],
          [8, 8],
        ][i] ?? [],
      ]),
    );
    const { matrices } = build('mlp', shapes);
    expect(matrices.map(({ name }) => name)).toEqual([
      'adaptor.0.weight',
      'adaptor.2.weight',
      'adaptor.10.weight',
    ]);
  });

  it('are no guess: a norm whose place nothing tells is refused', () => {
    const first = build('mlp', { 'norm.weight': [8], 'fc1.weight': [9, 8], 'fc2.weight': [12, 9] });
    expect(first.graph.finish().nodes[0]?.type).toMatch(/Normalization/);
    const unknown = [
      { 'norm.weight': [12], 'fc1.weight': [12, 8], 'fc2.weight': [12, 12], 'norm_2.weight': [12] },
      { 'layers.0.fc.weight': [8, 8], 'layers.0.norm.weight': [8], 'layers.1.fc.weight': [8, 8] },
      { 'norm.weight': [8], 'fc1.weight': [9, 8], 'fc2.weight': [8, 9] },
    ];
    for (const shapes of unknown) expect(() => build('mlp', shapes)).toThrow(/Nothing tells where/);
  });

  it('have an activation between them wherever no numbers say otherwise', () => {
    const activations = (shapes: Shapes) =>
      build('conv', shapes)
        .graph.finish()
        .nodes.filter(({ type }) => type === 'Gelu').length;
    const [one, two, out] = [
      [8, 8, 3],
      [8, 8, 3],
      [12, 8],
    ];
    expect(activations({ 'conv1.weight': one, 'conv2.weight': two, 'proj.weight': out })).toBe(2);
    expect(activations({ 'conv.0.weight': one, 'conv.2.weight': two, 'proj.weight': out })).toBe(2);
    expect(activations({ '0.weight': one, '2.weight': two, '3.weight': out })).toBe(1);
  });

  it('must all be understood: a batch norm is not passed over', () => {
    const shapes = { 'adaptor.0.weight': [12, 8], 'adaptor.1.running_mean': [12] };
    expect(() => build('linear', shapes)).toThrow(/adaptor\.1\.running_mean belongs to no layer/);
  });

  it('are those of the Q-Former that the recipe names, where a checkpoint holds several', () => {
    const shapes = salmonnShapes(2, 1, false);
    const two = {
      ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`video.${name}`, shape])),
      ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`sound.${name}`, shape])),
    };
    const encoder = { hidden: 48, framesPerSecond: 50 };
    const { matrices } = build('q-former', two, { encoder, options: { module: 'sound', heads: 3 } });
    expect(matrices.map(({ name }) => name)).toEqual([
      'sound.speech_Qformer.bert.encoder.layer.0.crossattention.self.value.weight',
      'sound.speech_llama_proj.weight',
    ]);
    expect(() => build('q-former', two, { encoder, options: { module: 'smell', heads: 3 } })).toThrow(
      /smell/,
    );
  });

  it('take the file for the adaptor when nothing in it has a telling name', () => {
    expect(build('mlp', { 'fc1.weight': [9, 8], 'fc2.weight': [12, 9] }).hidden).toBe(12);
  });
});

describe('what sound becomes', () => {
  it('is estimated as tokens a second, or as a fixed number', () => {
    expect(build('linear', linear).tokens).toEqual({ perSecond: 50 });
    expect(build('stack', { weight: [12, 40] }).tokens).toEqual({ perSecond: 10 });
    const conv = { '0.weight': [8, 8, 3], '2.weight': [12, 8, 3], '4.weight': [12, 12, 3] };
    expect(build('conv', conv).tokens).toEqual({ perSecond: 6.25 });
  });

  it('is 375 and 188 tokens of 30 s after two and three convolutions', async () => {
    const conv = { '0.weight': [8, 8, 3], '2.weight': [4, 8, 3] };
    const encoder = floats(new Float32Array(1500 * 8), [1, 1500, 8]);
    const four = await runGraph(build('conv', conv).graph, { encoder });
    expect(four.adaptor?.dims).toEqual([1, 375, 4]);
    const eight = await runGraph(build('conv', { ...conv, '4.weight': [4, 4, 3] }).graph, { encoder });
    expect(eight.adaptor?.dims).toEqual([1, 188, 4]);
    const wider = await runGraph(build('conv', conv, { options: { strides: [2, 4] } }).graph, { encoder });
    expect(wider.adaptor?.dims).toEqual([1, 188, 4]);
  });

  it('is nothing when a clip fills no stack, and one token when stacks are filled with zeros', async () => {
    const shapes = { weight: [12, 40] };
    const encoder = floats(new Float32Array(3 * 8).fill(1), [1, 3, 8]);
    const dropped = await runGraph(build('stack', shapes).graph, { encoder });
    expect(dropped.adaptor?.dims).toEqual([1, 0, 12]);
    const padded = await runGraph(build('stack', shapes, { options: { remainder: 'pad' } }).graph, {
      encoder,
    });
    expect(padded.adaptor?.dims).toEqual([1, 1, 12]);
  });

  it('is no token when a clip is shorter than a window', async () => {
    const shapes = salmonnShapes(2, 1, false);
    for (const strideSeconds of [0.32, 0.2]) {
      const { graph } = build('window-q-former', shapes, {
        encoder: { hidden: 48, framesPerSecond: 50 },
        options: { heads: 3, windowSeconds: 0.32, strideSeconds },
      });
      for (const frames of [1, 9, 15]) {
        const encoder = floats(new Float32Array(frames * 48), [1, frames, 48]);
        expect((await runGraph(graph, { encoder })).adaptor?.dims).toEqual([1, 0, 32]);
      }
    }
  });

  it('of two encoders of different lengths is heard as long as the longer', async () => {
    const secondEncoder = { hidden: 2, framesPerSecond: 50 };
    const { graph } = build('linear', { weight: [12, 10] }, { secondEncoder });
    const outputs = await runGraph(graph, {
      encoder: floats(new Float32Array(3 * 8).fill(1), [1, 3, 8]),
      secondEncoder: floats(new Float32Array(5 * 2), [1, 5, 2]),
    });
    expect(outputs.adaptor?.dims).toEqual([1, 5, 12]);
    expect(valuesOf(outputs.adaptor).slice(3 * 12)).toEqual(new Array(24).fill(0));
  });
});
