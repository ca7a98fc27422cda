import { describe, expect, it } from 'vitest';
import { openWeights } from '../../../native-models/formats/open-weights.ts';
import { MemoryFiles } from '../../fixtures/formats/memory-files.ts';
import { dict, pickle, tensor } from '../../fixtures/formats/pickle-steps.ts';
import { vectorsBytes } from '../../fixtures/formats/safetensors-bytes.ts';
import { zipBytes } from '../../fixtures/formats/zip-bytes.ts';
import { GgufWriter } from './gguf-writer.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const gguf = new GgufWriter().head(1, 0).tensor('g', [1], 0, 0).align().float32(4).bytes();

function opened(files: Readonly<Record<string, Uint8Array>>, path: string) {
  return openWeights(path, new MemoryFiles(files));
}
function failure(files: Readonly<Record<string, Uint8Array>>, path: string) {
  return () => opened(files, path);
}

describe('weights are opened by what they are', () => {
  it('whatever a file is called', () => {
    expect(opened({ '/m/model.bin': vectorsBytes({ a: [1] }) }, '/m/model.bin').names()).toEqual(['a']);
    expect(opened({ '/m/weights': gguf }, '/m/weights').names()).toEqual(['g']);
  });

  it('in a folder, under the usual names or alone', () => {
    const files = {
      '/m/model.safetensors': vectorsBytes({ a: [1] }),
      '/m/other.safetensors': vectorsBytes({ b: [1] }),
      '/alone/SomeModel.Q4_1.gguf': gguf,
      '/alone/config.json': json({}),
    };
    expect(opened(files, '/m').names()).toEqual(['a']);
    expect(opened(files, '/alone').names()).toEqual(['g']);
  });

  it('and refused with what to do when they are something else', () => {
    const files = {
      '/several/a.gguf': gguf,
      '/several/b.gguf': gguf,
      '/none/config.json': json({}),
      '/pointer': Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
      '/page': Buffer.from('<!DOCTYPE html><html>'),
      '/old.pt': Buffer.from('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1'),
      '/empty': Buffer.alloc(0),
    };
    expect(failure(files, '/several')).toThrow(/several weight files: a\.gguf, b\.gguf/);
    expect(failure(files, '/none')).toThrow(expect.objectContaining({ code: 'file-missing' }));
    expect(failure(files, '/nowhere')).toThrow(expect.objectContaining({ code: 'file-missing' }));
    expect(failure(files, '/pointer')).toThrow(/Git LFS pointer/);
    expect(failure(files, '/page')).toThrow(/web page/);
    expect(failure(files, '/old.pt')).toThrow(/PyTorch before 1\.6/);
    expect(failure(files, '/empty')).toThrow(expect.objectContaining({ code: 'not-supported' }));
  });
});

describe('weights in several files', () => {
  const index = (weightMap: unknown) => ({
    '/m/model.safetensors.index.json': json({ metadata: { total_size: 12 }, weight_map: weightMap }),
    '/m/one.safetensors': vectorsBytes({ a: [1], b: [2, 3] }),
    '/m/two.safetensors': vectorsBytes({ c: [4] }),
    '/outside.safetensors': vectorsBytes({ a: [6] }),
  });

  it('are one source of tensors', () => {
    const files = index({ a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' });
    for (const path of ['/m', '/m/model.safetensors.index.json']) {
      const weights = opened(files, path);
      expect(weights.names()).toEqual(['a', 'b', 'c']);
      expect([...weights.tensor('b').float32()]).toEqual([2, 3]);
      expect([...weights.tensor('c').float32()]).toEqual([4]);
      expect(() => weights.tensor('d')).toThrow(expect.objectContaining({ code: 'tensor-missing' }));
    }
  });

  it('may be PyTorch checkpoints', () => {
    const numbers = Buffer.from(Float32Array.of(1, 2, 3).buffer);
    const part = (name: string) =>
      zipBytes([
        ['part/data.pkl', pickle(dict({ [name]: tensor('0', 3, 0, [3], [1]) }))],
        ['part/data/0', numbers],
      ]);
    const files = {
      '/m/pytorch_model.bin.index.json': json({
        metadata: {},
        weight_map: { a: 'pytorch_model-00001-of-00002.bin', b: 'pytorch_model-00002-of-00002.bin' },
      }),
      '/m/pytorch_model-00001-of-00002.bin': part('a'),
      '/m/pytorch_model-00002-of-00002.bin': part('b'),
    };
    expect([...opened(files, '/m').tensor('b').float32()]).toEqual([1, 2, 3]);
  });

  it('are refused when a file lacks what the index says it holds, naming both', () => {
    expect(failure(index({ c: 'one.safetensors' }), '/m')).toThrow(/places c in one\.safetensors/);
    expect(failure(index({ c: 'three.safetensors' }), '/m')).toThrow(/three\.safetensors cannot be opened/);
  });

  it('are refused when the index names anything but files beside it, and nothing else is opened', () => {
    for (const name of [
      '../outside.safetensors',
      '/outside.safetensors',
      '..\\outside.safetensors',
      'C:outside.safetensors',
      'sub/one.safetensors',
      'one.safetensors\0',
      '..',
      '.',
      '',
      7,
      null,
      ['one.safetensors'],
    ]) {
      const files = new MemoryFiles(index({ a: name }));
      expect(() => openWeights('/m', files), String(name)).toThrow(
        /weight_map places a in something that is no name of a file/,
      );
      expect(new Set(files.wanted)).toEqual(new Set(['/m/model.safetensors.index.json']));
    }
  });

  it('are refused when the index names an index, or is none', () => {
    expect(failure(index({ a: 'model.safetensors.index.json' }), '/m')).toThrow(/neither safetensors nor/);
    for (const weightMap of [undefined, null, [], 'one'])
      expect(failure(index(weightMap), '/m')).toThrow(/no weight_map/);
    expect(failure({ '/m/model.safetensors.index.json': Buffer.from('{"a') }, '/m')).toThrow(/not JSON/);
  });

  it('take __proto__ for a name like any other', () => {
    const files = {
      '/m/i.json': Buffer.from('{"weight_map":{"__proto__":"one.safetensors"}}'),
      '/m/one.safetensors': Buffer.concat([
        Buffer.from([68, 0, 0, 0, 0, 0, 0, 0]),
        Buffer.from('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.padEnd(68)),
        Buffer.from([1]),
      ]),
    };
    expect(opened(files, '/m/i.json').names()).toEqual(['__proto__']);
  });
});
