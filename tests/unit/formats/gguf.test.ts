import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ModelError } from '../../../native-models/errors.ts';
import { Gguf } from '../../../native-models/formats/gguf.ts';
import { MemoryFiles } from '../../fixtures/formats/memory-files.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { GgufWriter } from './gguf-writer.ts';

const [f32, q4_0, q4_1, q8_0, iq2_xxs] = [0, 2, 3, 8, 16];
const [uint32, float32, text, array, uint64] = [4, 6, 8, 9, 10];

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'model.gguf');
  writeFileSync(path, bytes);
  return path;
}

/** Fails with this code, saying this. */
function refused(bytes: Uint8Array, code: ModelError['code'], words: RegExp): void {
  const path = fileOf(bytes);
  let error: unknown;
  try {
    using _ = new Gguf(path);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
}

/** Blocks of 32 with scale 0.5, minimum −2 (Q4_1), element i holding i mod 16, or i − 16 (Q8_0). */
const nibbles = Buffer.from(Array.from({ length: 16 }, (_, i) => i | (i << 4)));
const half = Buffer.from([0x00, 0x38]);
const minusTwo = Buffer.from([0x00, 0xc0]);
const blockOf40 = Buffer.concat([half, nibbles]);
const blockOf41 = Buffer.concat([half, minusTwo, nibbles]);
const blockOf80 = Buffer.concat([half, Buffer.from(Int8Array.from({ length: 32 }, (_, i) => i - 16).buffer)]);

function smallFile(): Buffer {
  const header = new GgufWriter()
    .head(4, 5)
    .text('general.architecture')
    .uint32(text)
    .text('llama')
    .text('llama.block_count')
    .uint32(uint32)
    .uint32(2)
    .text('llama.epsilon')
    .uint32(float32)
    .float32(0.5)
    .text('big')
    .uint32(uint64)
    .uint64(2n ** 60n)
    .text('tokens')
    .uint32(array)
    .uint32(text)
    .uint64(2)
    .text('é')
    .text('')
    .tensor('plain', [3, 2], f32, 0)
    .tensor('four', [32, 1], q4_0, 32)
    .tensor('fourOne', [32], q4_1, 64)
    .tensor('eight', [32], q8_0, 96)
    .align();
  for (const value of [1, 2, 3, 4, 5, 6]) header.float32(value);
  return header.align().raw(blockOf40).align().raw(blockOf41).align().raw(blockOf80).bytes();
}

describe('the GGUF reader', () => {
  it('reads metadata and tensors, shapes turned to outermost first, blocks in their exact values', () => {
    using gguf = new Gguf(fileOf(smallFile()));
    expect(gguf.metadata('general.architecture', z.string())).toBe('llama');
    expect(gguf.metadata('llama.block_count', z.number())).toBe(2);
    expect(gguf.metadata('llama.epsilon', z.number())).toBe(0.5);
    expect(gguf.metadata('big', z.bigint())).toBe(2n ** 60n);
    expect(gguf.metadata('tokens', z.array(z.string()))).toEqual(['é', '']);
    expect(gguf.names()).toEqual(['plain', 'four', 'fourOne', 'eight']);
    expect(gguf.tensor('plain').shape).toEqual([2, 3]);
    expect([...gguf.tensor('plain').float32()]).toEqual([1, 2, 3, 4, 5, 6]);
    const element = (level: (i: number) => number) => Array.from({ length: 32 }, (_, i) => level(i));
    expect([...gguf.tensor('four').float32()]).toEqual(element((i) => 0.5 * ((i % 16) - 8)));
    expect([...gguf.tensor('fourOne').float32()]).toEqual(element((i) => 0.5 * (i % 16) - 2));
    expect([...gguf.tensor('eight').float32()]).toEqual(element((i) => 0.5 * (i - 16)));
  });

  it('names what is missing or something else', () => {
    using gguf = new Gguf(fileOf(smallFile()));
    expect(() => gguf.tensor('five')).toThrow(expect.objectContaining({ code: 'tensor-missing' }));
    expect(() => gguf.metadata('llama.block_count', z.string())).toThrow(/llama\.block_count is not/);
    expect(() => gguf.metadata('nothing', z.string())).toThrow(/nothing is missing/);
    expect(gguf.metadata('nothing', z.string().default('there'))).toBe('there');
  });

  it('refuses a file cut at any byte', () => {
    const whole = smallFile();
    for (let length = 0; length < whole.length; length++) {
      const files = new MemoryFiles({ '/cut': whole.subarray(0, length) });
      expect(() => new Gguf('/cut', files), `${length} bytes`).toThrow(ModelError);
    }
  });

  it('refuses what is no GGUF, and versions it does not know', () => {
    refused(Buffer.from('PK\x03\x04 a zip'), 'file-invalid', /no GGUF/);
    refused(new GgufWriter().head(0, 0, 1).bytes(), 'not-supported', /version 1/);
    refused(new GgufWriter().head(0, 0, 0x03000000).bytes(), 'not-supported', /version/);
  });

  it('refuses counts and lengths that the file cannot hold, without making room for them', () => {
    refused(new GgufWriter().head(2n ** 63n, 0).bytes(), 'file-invalid', /number of tensors/);
    refused(new GgufWriter().head(0, 2 ** 40).bytes(), 'file-invalid', /number of metadata/);
    const entry = () => new GgufWriter().head(0, 1).text('key');
    refused(
      new GgufWriter()
        .head(0, 1)
        .uint64(2 ** 40)
        .uint64(0)
        .bytes(),
      'file-invalid',
      /length/,
    );
    refused(
      entry()
        .uint32(text)
        .uint64(2 ** 50)
        .bytes(),
      'file-invalid',
      /length of key/,
    );
    refused(
      entry()
        .uint32(array)
        .uint32(uint32)
        .uint64(2 ** 45)
        .bytes(),
      'file-invalid',
      /size of key/,
    );
    refused(entry().uint32(array).uint32(text).uint64(3).text('').bytes(), 'file-invalid', /size of key/);
    refused(entry().uint32(array).uint32(array).uint64(1).uint64(0).bytes(), 'file-invalid', /unknown type/);
    refused(entry().uint32(77).uint64(0).bytes(), 'file-invalid', /unknown type 77/);
  });

  it('refuses counts that no model has, however large the file is', () => {
    const bytes = new GgufWriter().head(0, 1).text('key').uint32(array).uint32(0).uint64(5_000_000);
    refused(
      bytes.raw(Buffer.alloc(5_000_000)).bytes(),
      'file-invalid',
      /size of key, 5000000, is more than any/,
    );
    const entries = new GgufWriter().head(0, 300_000).raw(Buffer.alloc(13 * 300_000));
    refused(entries.bytes(), 'file-invalid', /number of metadata entries, 300000, is more than any model/);
  });

  it('refuses tensors that lie outside the file, overflow, or are of unknown or broken form', () => {
    const one = (dimensions: readonly (number | bigint)[], type: number, offset: number | bigint = 0) =>
      new GgufWriter().head(1, 0).tensor('t', dimensions, type, offset).align().raw(Buffer.alloc(64)).bytes();
    refused(one([17], f32), 'file-truncated', /within t/);
    refused(one([4], f32, 64), 'file-truncated', /within t/);
    refused(one([4], f32, 2n ** 64n - 16n), 'file-invalid', /place of t/);
    refused(one([4], f32, 2n ** 53n - 1n), 'file-invalid', /believable/);
    refused(one([2n ** 32n, 2n ** 32n], f32), 'file-invalid', /believable/);
    refused(one([2n ** 33n, 2n ** 31n, 2n ** 30n, 4], f32), 'file-invalid', /believable/);
    refused(one([16], q4_1), 'file-invalid', /whole Q4_1 blocks/);
    refused(one([256], iq2_xxs), 'not-supported', /type 16/);
    refused(one([1, 1, 1, 1, 1], f32), 'file-invalid', /5 dimensions/);
  });

  it('refuses a part of a model, saying how to join the parts', () => {
    const part = new GgufWriter()
      .head(0, 1)
      .text('split.count')
      .uint32(2)
      .raw(Buffer.from([3, 0]));
    refused(part.align().bytes(), 'not-supported', /one of 3 parts/);
  });

  it('refuses names given twice and alignments out of the question', () => {
    const twice = new GgufWriter().head(2, 0).tensor('t', [1], f32, 0).tensor('t', [1], f32, 0);
    refused(twice.align().float32(1).bytes(), 'file-invalid', /same name/);
    const entry = (value: number) =>
      new GgufWriter().head(0, 1).text('general.alignment').uint32(uint32).uint32(value).bytes();
    refused(entry(0), 'file-invalid', /alignment/);
    refused(entry(2 ** 31), 'file-invalid', /alignment/);
  });
});
