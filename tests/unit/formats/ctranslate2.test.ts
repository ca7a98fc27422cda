import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CTranslate2Model } from '../../../native-models/formats/ctranslate2.ts';
import { modelBytes as model, textBytes as text, variableBytes as variable } from './ctranslate2-bytes.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-ctranslate2-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const u8 = (value: number) => Buffer.from([value]);
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);

let count = 0;
function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${count++}.bin`);
  writeFileSync(path, bytes);
  return path;
}
const opened = (bytes: Uint8Array) => () => new CTranslate2Model(fileOf(bytes));

const sound = [
  variable('single', [2], 0, Float32Array.of(1.5, -2)),
  variable('half', [1], 4, Uint16Array.of(0x3c00)),
  variable('rows/weight', [2, 3], 1, Int8Array.of(10, 20, 30, -40, 50, -60)),
  variable('rows/weight_scale', [2], 0, Float32Array.of(10, 20)),
  variable('heads', [], 2, Int16Array.of(8)),
];

describe('a CTranslate2 model', () => {
  it('gives numbers of every stored type; int8 rows are divided by their scales', () => {
    using file = new CTranslate2Model(fileOf(model(sound, [['tied/weight', 'rows/weight']])));
    expect([...file.tensor('single').float32()]).toEqual([1.5, -2]);
    expect([...file.tensor('half').float32()]).toEqual([1]);
    expect([...file.tensor('rows/weight').float32()]).toEqual([1, 2, 3, -2, 2.5, -3]);
    expect([...file.tensor('heads').float32()]).toEqual([8]);
    expect(file.tensor('heads').shape).toEqual([]);
  });

  it('knows a tied matrix under its alias too, scales included', () => {
    using file = new CTranslate2Model(fileOf(model(sound, [['tied/weight', 'rows/weight']])));
    expect(file.has('tied/weight')).toBe(true);
    expect([...file.tensor('tied/weight').float32()]).toEqual([1, 2, 3, -2, 2.5, -3]);
  });

  it('gives some rows of an int8 matrix with the scales of these rows', () => {
    using file = new CTranslate2Model(fileOf(model(sound)));
    expect([...file.tensor('rows/weight').rows(1, 1).float32()]).toEqual([-2, 2.5, -3]);
    expect(() => file.tensor('rows/weight').rows(1, 2)).toThrow(/no rows 1 to 3/);
  });

  it('is refused wherever it is cut off', () => {
    const whole = model(sound, [['tied/weight', 'rows/weight']]);
    for (let length = 0; length < whole.length; length++)
      expect(opened(whole.subarray(0, length))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^file-(truncated|invalid)$/) }),
      );
  });

  it('is refused in another version, by its number', () => {
    expect(opened(model(sound, [], 7))).toThrow(/it says 7/);
  });

  it('is refused when a shape does not fill its bytes, a name stands twice or a type is unknown', () => {
    expect(opened(model([variable('a', [3], 0, Float32Array.of(1, 2))]))).toThrow(/does not fill/);
    expect(opened(model([variable('a', [2 ** 31, 2 ** 31, 2 ** 31], 0, Float32Array.of(1))]))).toThrow(
      /does not fill/,
    );
    const a = variable('a', [1], 0, Float32Array.of(1));
    expect(opened(model([a, a]))).toThrow(/there twice/);
    expect(opened(model([variable('a', [1], 9, Float32Array.of(1))]))).toThrow(/unknown type 9/);
    expect(opened(model([variable('a', new Array(40).fill(1), 0, Float32Array.of(1))]))).toThrow(
      /40 dimensions/,
    );
  });

  it('is refused when scales do not fit the rows, an alias hangs in the air, or bytes follow', () => {
    const scale = variable('w_scale', [3], 0, Float32Array.of(1, 1, 1));
    expect(opened(model([variable('w', [2, 1], 1, Int8Array.of(1, 1)), scale]))).toThrow(
      /3 scales for 2 rows/,
    );
    expect(opened(model(sound, [['tied', 'nowhere']]))).toThrow(/nowhere, which is not there/);
    expect(opened(Buffer.concat([model(sound), u8(0)]))).toThrow(/follow the last alias/);
  });

  it('is refused when it counts more variables than any model has', () => {
    expect(opened(Buffer.concat([u32(6), text('x'), u32(3), u32(0xffffffff)]))).toThrow(
      /more than any model has/,
    );
  });
});
