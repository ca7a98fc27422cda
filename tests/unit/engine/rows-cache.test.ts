import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { RowsCache } from '../../../src-main/engine/caches/rows-cache.ts';

const shape = { layers: 2, kvHeads: 2, headSize: 3 };

/** Rows as the decoder gives them, every value telling layer, head, position and dimension. */
function rowsFor(from: number, count: number): Float32Array {
  const rows: number[] = [];
  for (let layer = 0; layer < 4; layer++)
    for (let head = 0; head < 2; head++)
      for (let position = from; position < from + count; position++)
        for (let i = 0; i < 3; i++) rows.push(layer * 10_000 + head * 5000 + position * 3 + i);
  return Float32Array.from(rows);
}

const outputs = (from: number, count: number) => ({
  rows: new Tensor('float32', rowsFor(from, count), [4, 2, count, 3]),
});

describe('keys and values in rows', () => {
  it('stand where the graph looks for them, also when the buffers have grown', async () => {
    const cache = new RowsCache(shape, 'float32');
    for (let at = 0; at < 600; at += 100) {
      cache.feeds(100);
      cache.accept(outputs(at, 100), 100);
    }
    expect(cache.length).toBe(600);
    expect(await cache.rows()).toEqual(rowsFor(0, 600));
    const feeds = cache.feeds(1);
    expect(feeds['past_key_values.1.value']?.dims).toEqual([1, 2, 640, 3]);
    const value = feeds['past_key_values.1.value']?.data as Float32Array;
    expect(value[640 * 3 + 599 * 3 + 2]).toBe(3 * 10_000 + 5000 + 599 * 3 + 2);
  });

  it('go on from any earlier position', async () => {
    const cache = new RowsCache(shape, 'float32');
    cache.accept(outputs(0, 50), 50);
    await cache.truncate(20);
    cache.accept(outputs(20, 5), 5);
    expect(await cache.rows()).toEqual(rowsFor(0, 25));
    await cache.truncate(99);
    expect(cache.length).toBe(25);
  });

  it('go on from a snapshot longer than a fresh buffer', async () => {
    const cache = RowsCache.from(shape, 'float32', rowsFor(0, 300), 300);
    cache.feeds(1);
    cache.accept(outputs(300, 1), 1);
    expect(await cache.rows()).toEqual(rowsFor(0, 301));
  });

  it('become those of another sequence by copying only what differs', async () => {
    const long = RowsCache.from(shape, 'float32', rowsFor(0, 300), 300);
    const fresh = new RowsCache(shape, 'float32');
    await fresh.follow(long, 0);
    expect(await fresh.rows()).toEqual(rowsFor(0, 300));

    const other = RowsCache.from(shape, 'float32', rowsFor(0, 120), 120);
    other.feeds(30);
    other.accept(outputs(900, 30), 30);
    await other.follow(long, 120);
    expect(await other.rows()).toEqual(rowsFor(0, 300));
    // It goes on by itself.
    other.feeds(1);
    other.accept(outputs(300, 1), 1);
    expect(await other.rows()).toEqual(rowsFor(0, 301));
    expect(await long.rows()).toEqual(rowsFor(0, 300));

    await long.follow(RowsCache.from(shape, 'float32', rowsFor(0, 5), 5), 5);
    expect(await long.rows()).toEqual(rowsFor(0, 5));
  });

  it('refuse rows of another size', () => {
    expect(() => new RowsCache(shape, 'float32').accept(outputs(0, 2), 3)).toThrow('expected size');
  });
});
