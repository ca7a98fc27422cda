import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { elementDecoder } from '../../../native-models/formats/element-decoders.ts';
import { type GgmlBlockType, unpackBlocks } from '../../../native-models/formats/ggml-blocks.ts';
import {
  type GgmlSuperBlockType,
  unpackSuperBlocks,
} from '../../../native-models/formats/ggml-super-blocks.ts';
import { halfToFloat32 } from '../../../native-models/formats/half-precision.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';

const golden = new Safetensors(
  fileURLToPath(new URL('../../fixtures/formats/ggml-blocks.safetensors', import.meta.url)),
);
afterAll(() => golden.close());

const blockTypes: readonly GgmlBlockType[] = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'];
const superBlockTypes: readonly GgmlSuperBlockType[] = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'];

const bytesOf = (type: string) => golden.tensor(`${type}.bytes`).read();
/** Minus nothing is nothing. */
const values = (list: Iterable<number>) => Array.from(list, (value) => value + 0);
const expected = (type: string) => values(golden.tensor(`${type}.values`).float32());

describe('blocks of a GGUF file, against the gguf package', () => {
  it.each([...blockTypes, ...superBlockTypes])('%s has the very same values', (type) => {
    const wanted = expected(type);
    const decoded = new Float32Array(wanted.length);
    elementDecoder('the golden blocks', { name: type, type }).decode(bytesOf(type), decoded);
    expect(values(decoded)).toEqual(wanted);
  });

  it.each(blockTypes)('%s taken apart multiplies out to the same values', (type) => {
    const { levels, scales, minima } = unpackBlocks(type, bytesOf(type));
    const out = Float32Array.from(levels, (level, i) => {
      const block = Math.floor(i / 32);
      return (scales[block] ?? Number.NaN) * level + (minima[block] ?? Number.NaN);
    });
    expect(values(out)).toEqual(expected(type));
  });

  it.each(superBlockTypes)('%s taken apart multiplies out to the same values', (type) => {
    const { levels, groupElements, zeroLevel, scales, minima, d, dmin } = unpackSuperBlocks(
      type,
      bytesOf(type),
    );
    const [step, least] = [halfToFloat32(d), dmin === null ? null : halfToFloat32(dmin)];
    const out = Float32Array.from(levels, (level, i) => {
      const [group, block] = [Math.floor(i / groupElements), Math.floor(i / 256)];
      const offset = minima === null || least === null ? 0 : (least[block] ?? 0) * (minima[group] ?? 0);
      return (step[block] ?? 0) * (scales[group] ?? 0) * (level - zeroLevel) - offset;
    });
    expect(values(out)).toEqual(expected(type));
  });
});
