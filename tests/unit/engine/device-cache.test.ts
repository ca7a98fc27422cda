import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { DeviceCache } from '../../../src-main/engine/caches/device-cache.ts';
import { openCutter } from '../../../src-main/engine/caches/device-cutter.ts';
import { RowsCache } from '../../../src-main/engine/caches/rows-cache.ts';

const shape = { layers: 1, kvHeads: 2, headSize: 4 };
const values = (from: number, count: number) => Float32Array.from({ length: count }, (_, i) => from + i);

it("a device's keys and values become a copy of another sequence's, and go on by themselves", async () => {
  const cutter = await openCutter(shape, 'cpu', 1);
  const first = DeviceCache.from(shape, cutter, values(0, 48), 3);
  const second = DeviceCache.from(shape, cutter, values(100, 16), 1);
  await second.follow(first);
  expect(second.length).toBe(3);
  expect(await second.rows()).toEqual(values(0, 48));

  const present = () => new Tensor('float32', values(500, 32), [1, 2, 4, 4]);
  second.accept({ 'present.0.key': present(), 'present.0.value': present() }, 1);
  expect(await first.rows()).toEqual(values(0, 48));
  expect(second.length).toBe(4);
  await expect(second.follow(new RowsCache(shape, 'float32'))).rejects.toThrow(TypeError);
  await cutter.close();
});
