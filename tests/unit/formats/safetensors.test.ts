import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function fileOf(header: string | object, data: Uint8Array, headerLength?: bigint): string {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  const path = join(folder, `${count++}.safetensors`);
  writeFileSync(path, Buffer.concat([length, text, data]));
  return path;
}

const tensor = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});
const open = (path: string) => () => new Safetensors(path);

describe('a safetensors file', () => {
  it('gives its tensors by name, converted to single precision', () => {
    const data = new Uint8Array(14);
    const view = new DataView(data.buffer);
    view.setFloat32(0, 1.5, true);
    view.setFloat32(4, -2, true);
    view.setUint16(8, 0x3c00, true); // 1 in half precision
    view.setUint16(10, 0x0001, true); // its smallest number
    view.setUint16(12, 0xc040, true); // −3 in bfloat16
    using file = new Safetensors(
      fileOf(
        {
          __metadata__: { made: 'by hand' },
          single: tensor('F32', [2], 0, 8),
          half: tensor('F16', [1, 2], 8, 12),
          brain: tensor('BF16', [], 12, 14),
        },
        data,
      ),
    );
    expect(file.names().toSorted()).toEqual(['brain', 'half', 'single']);
    expect([...file.tensor('single').float32()]).toEqual([1.5, -2]);
    expect([...file.tensor('half').float32()]).toEqual([1, 2 ** -24]);
    expect([...file.tensor('brain').float32()]).toEqual([-3]);
    expect(file.tensor('half').shape).toEqual([1, 2]);
    expect(() => file.tensor('other')).toThrow(/no tensor other/);
  });

  it('reads integers of every width, and names floats that it does not turn into numbers', () => {
    const data = Buffer.from([
      0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x38, 0x21, 0x43, 0x65,
    ]);
    const header = {
      long: tensor('U64', [1], 6, 14),
      word: tensor('U32', [1], 2, 6),
      short: tensor('U16', [1], 0, 2),
      eight: tensor('F8_E4M3', [1], 14, 15),
      six: tensor('F6_E2M3', [4], 15, 18),
    };
    using file = new Safetensors(fileOf(header, data));
    expect([...file.tensor('short').float32()]).toEqual([65_535]);
    expect([...file.tensor('word').float32()]).toEqual([1]);
    expect([...file.tensor('long').float32()]).toEqual([2 ** 32]);
    expect([...file.tensor('eight').read()]).toEqual([0x38]);
    expect(() => file.tensor('eight').float32()).toThrow(/eight in .* is of type F8_E4M3/);
    expect(() => file.tensor('six').float32()).toThrow(expect.objectContaining({ code: 'not-supported' }));
  });

  it('is refused when it is missing, a folder, or too short to have a header', () => {
    expect(open(join(folder, 'nothing'))).toThrow(expect.objectContaining({ code: 'file-missing' }));
    expect(open(folder)).toThrow(expect.objectContaining({ code: 'file-missing' }));
    const path = join(folder, 'short');
    writeFileSync(path, 'abc');
    expect(open(path)).toThrow(expect.objectContaining({ code: 'file-truncated' }));
  });

  it('is refused when its header claims more bytes than there are, or more than any model has', () => {
    expect(open(fileOf('{}', new Uint8Array(0), 50n))).toThrow(
      expect.objectContaining({ code: 'file-truncated' }),
    );
    expect(open(fileOf('{}', new Uint8Array(0), 2n ** 63n))).toThrow(/more than any model has/);
  });

  it('is refused when its data are cut off', () => {
    const path = fileOf({ a: tensor('F32', [4], 0, 16) }, new Uint8Array(12));
    expect(open(path)).toThrow(expect.objectContaining({ code: 'file-truncated' }));
  });

  it('is refused when tensors overlap, leave a hole or leave bytes over', () => {
    const overlap = { a: tensor('U8', [4], 0, 4), b: tensor('U8', [4], 2, 6) };
    expect(open(fileOf(overlap, new Uint8Array(6)))).toThrow(/overlap others or leave a hole/);
    const same = { a: tensor('U8', [4], 0, 4), b: tensor('U8', [4], 0, 4) };
    expect(open(fileOf(same, new Uint8Array(4)))).toThrow(/overlap others or leave a hole/);
    const hole = { a: tensor('U8', [2], 0, 2), b: tensor('U8', [2], 4, 6) };
    expect(open(fileOf(hole, new Uint8Array(6)))).toThrow(/leave a hole/);
    expect(open(fileOf({ a: tensor('U8', [2], 0, 2) }, new Uint8Array(3)))).toThrow(/belong to no tensor/);
  });

  it('is refused when a name stands twice with different data', () => {
    const twice =
      '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}';
    expect(open(fileOf(twice, new Uint8Array(4)))).toThrow(expect.objectContaining({ code: 'file-invalid' }));
  });

  it('is refused when a shape does not fill its bytes, however large the numbers', () => {
    for (const [shape, end] of [
      [[3], 8],
      [[2 ** 52, 2 ** 52], 16],
      [[0], 4],
    ] as const)
      expect(open(fileOf({ a: tensor('F32', [...shape], 0, end) }, new Uint8Array(end)))).toThrow(
        /does not fill/,
      );
    for (const entry of [
      { dtype: 'F32', shape: [-1], data_offsets: [0, 4] },
      { dtype: 'F32', shape: [1.5], data_offsets: [0, 6] },
      { dtype: 'F32', shape: [1], data_offsets: [4, 0] },
      { dtype: 'F32', shape: [1], data_offsets: [0] },
      { dtype: 'X99', shape: [1], data_offsets: [0, 4] },
      { dtype: 'F32', shape: [1], data_offsets: [0, 4], more: 1 },
      null,
      7,
    ])
      expect(open(fileOf({ a: entry }, new Uint8Array(4)))).toThrow(
        expect.objectContaining({ code: 'file-invalid' }),
      );
  });

  it('is refused when its header is nonsense: not JSON, not an object, not text, or nested without end', () => {
    for (const header of [
      '{',
      '[]',
      'null',
      '"x"',
      '\u0000',
      '['.repeat(300_000),
      `{"a":${'['.repeat(300_000)}`,
    ])
      expect(open(fileOf(header, new Uint8Array(0)))).toThrow(
        expect.objectContaining({ code: 'file-invalid' }),
      );
    const path = join(folder, 'binary');
    writeFileSync(path, new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]));
    expect(open(path)).toThrow(/not JSON/);
  });

  it('takes __proto__ for a name like any other', () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    using file = new Safetensors(fileOf(header, new Uint8Array(1)));
    expect(file.names()).toEqual(['__proto__']);
  });
});
