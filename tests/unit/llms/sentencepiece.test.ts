import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../native-models/errors.ts';
import { readSentencePiece } from '../../../native-models/tokenizers/sentencepiece-model.ts';
import { sentencePieceTokenizer } from '../../../native-models/tokenizers/sentencepiece-tokenizer.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const fixture = fileURLToPath(new URL('../../fixtures/llms/llama.model', import.meta.url));
const options = { path: 'tokenizer.model', added: [], prefix: 'each' } as const;

describe('tokenizer.model', () => {
  it('is read with its pieces, scores, kinds and settings', () => {
    const model = readSentencePiece(fixture);
    expect(model).toMatchObject({
      ...{ algorithm: 'bpe', byteFallback: true, unknownId: 0, addPrefix: true, removeExtraSpaces: false },
    });
    expect(model.pieces).toHaveLength(360);
    expect(model.pieces[1]).toEqual({ text: '<s>', score: 0, kind: 3 });
    expect(model.pieces[3]).toEqual({ text: '<0x00>', score: 0, kind: 6 });
    expect(model.pieces[260]?.score).toBe(-1);
  });

  it('damaged in 600 ways: a right answer or an error, never anything else', () => {
    const bytes = readFileSync(fixture);
    const path = join(temporaryFolder(), 'tokenizer.model');
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let i = 0; i < 600; i++) {
      const damaged = Buffer.from(bytes.subarray(0, i % 3 === 0 ? random(bytes.length) : bytes.length));
      for (let j = 0; j < 1 + random(4); j++)
        if (damaged.length > 0) damaged[random(damaged.length)] = random(256);
      writeFileSync(path, damaged);
      try {
        sentencePieceTokenizer(readSentencePiece(path), options);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
      }
    }
  });

  it('of a kind that is not read is refused by its name', () => {
    const model = readSentencePiece(fixture);
    for (const algorithm of ['other', 'unigram'] as const)
      expect(() => sentencePieceTokenizer({ ...model, algorithm }, options)).toThrow(
        expect.objectContaining({ code: 'not-supported', message: expect.stringContaining(algorithm) }),
      );
  });

  it('with a token twice is refused', () => {
    const model = readSentencePiece(fixture);
    const [piece] = model.pieces.slice(300);
    const twice = { ...model, pieces: piece === undefined ? [] : [...model.pieces, piece] };
    expect(() => sentencePieceTokenizer(twice, options)).toThrow(/tokens 300 and 360 are the same/);
  });
});
