import { describe, expect, it } from 'vitest';
import type { AdaptorRequest } from '../../../native-models/architectures/adaptors/adaptor.ts';
import { adaptorArchitecture } from '../../../native-models/architectures/adaptors/registry.ts';
import {
  config,
  configWith,
  exportedShapes,
  secondLookRequest,
  source,
  tiny,
  whisper,
  whisperShapes,
} from '../../fixtures/adaptors/second-look.ts';

function build(change: Partial<AdaptorRequest> = {}) {
  return adaptorArchitecture('second-look').build(secondLookRequest(change));
}

const refused = (code: string) => expect.objectContaining({ code });
const unsupported = refused('not-supported');
const misfit = refused('shape-mismatch');

describe('the second look', () => {
  it('tells of itself what the engine needs: stacks of frames to a second, and the LLM tokens of its labels', () => {
    expect(build()).toMatchObject({
      hidden: tiny.llmWidth,
      stack: 2,
      tokens: { perSecond: 25 },
      selection: 'ctc-compress',
      ctcTokens: config.vocab,
    });
  });

  it('names the matrices that the sound passes through as its graph does', () => {
    for (const kind of ['float', 'byte-blocks'] as const) {
      const { graph, matrices } = build({ kind });
      const { weights } = graph.finish();
      for (const { name } of matrices)
        expect(
          weights.some((weight) => weight.name.startsWith(name)),
          name,
        ).toBe(true);
    }
  });

  it('keeps of the token tables the rows of its classes alone, and each once', () => {
    const sizes = new Map(
      build()
        .graph.finish()
        .weights.map(({ name, shape }) => [name, shape]),
    );
    // 40 classes, nine of which have a capital of their own, which two share, and four tokens before the transcript.
    expect(sizes.get('whisper.words.values')).toEqual([53, tiny.width]);
    expect(sizes.get('llm.words.values')).toEqual([40, tiny.llmWidth]);
    expect([...sizes.keys()].filter((name) => name.includes('embed'))).toEqual([]);
  });

  it('is refused without a Whisper that has a decoder, without an LLM, and with a second encoder', () => {
    expect(() => build({ whisper: null })).toThrow(/hold none/);
    expect(() => build({ whisper: null })).toThrow(unsupported);
    expect(() => build({ llm: null })).toThrow(unsupported);
    expect(() => build({ secondEncoder: { hidden: 8, framesPerSecond: 50 } })).toThrow(unsupported);
  });

  it('is refused with a Whisper, an encoder or an LLM of other sizes, naming both', () => {
    const wider = { ...whisperShapes(), 'model.decoder.embed_positions.weight': [18, tiny.width] };
    expect(() => build({ whisper: whisper(wider) })).toThrow(
      /draft of 16 tokens behind 4 .* what Whisper reads, 18/,
    );
    expect(() => build({ encoder: { hidden: 48, framesPerSecond: 50 } })).toThrow(
      /vectors of 32, the encoder gives vectors of 48/,
    );
    const small = source({ table: [100, tiny.llmWidth] }).tensor('table');
    expect(() => build({ llm: { hidden: tiny.llmWidth, embeddings: small } })).toThrow(
      /the LLM's token 100, and there are only 100/,
    );
    const fewer = { ...whisperShapes(), 'model.decoder.embed_tokens.weight': [105, tiny.width] };
    expect(() => build({ whisper: whisper(fewer) })).toThrow(/Whisper's token 105, and there are only 105/);
  });

  it('is refused with a configuration that is none, naming the field', () => {
    const invalid = refused('file-invalid');
    expect(() => build({ config: configWith({ looks: 0 }) })).toThrow(/adaptor\.looks/);
    expect(() => build({ config: { ...config, mode: 'all' } })).toThrow(invalid);
    expect(() => build({ options: { stack: 2 } })).toThrow(/stack/);
    expect(() => build({ config: configWith({ drafted: [40] }) })).toThrow(/the class 40/);
    expect(() => build({ config: configWith({ whisper: [1, 2] }) })).toThrow(/40 tokens of the LLM, 2 of/);
    const narrow = configWith({ draft: { ...Object(config.adaptor.draft), dl: 16 } });
    expect(() => build({ config: narrow })).toThrow(/drafts tokens of 16, Whisper's decoder is 32 wide/);
    expect(() => build({ config: configWith({ heads: 5 }) })).toThrow(misfit);
    expect(() => build({ config: configWith({ blocks: 2 }) })).toThrow(refused('tensor-missing'));
  });

  it('is refused with weights that are nearly its own, naming the tensor', () => {
    for (const [name, shape] of Object.entries(exportedShapes)) {
      // Nothing reads the length of the draft's vectors, which go nowhere; the LoRA is the LLM's.
      if (name === 'draft.scale' || name.startsWith('lora.')) continue;
      const { [name]: _, ...others } = exportedShapes;
      expect(() => build({ weights: source(others) }), name).toThrow(refused('tensor-missing'));
      for (const wrong of [[...shape, 2], shape.map((size) => size + 1), shape.map(() => 0)])
        if (wrong.length > 0)
          expect(() => build({ weights: source({ ...exportedShapes, [name]: wrong }) }), name).toThrow(
            misfit,
          );
    }
  });
});
