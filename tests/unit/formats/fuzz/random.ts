/** Numbers that look random and are the same every time: mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, and not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Numbers at which readers go wrong. */
export const awkwardNumbers: readonly number[] = [
  0,
  1,
  2,
  3,
  7,
  31,
  32,
  33,
  127,
  128,
  255,
  256,
  257,
  65_535,
  65_536,
  1_000_000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  1e300,
  -1,
  -2,
  -32,
  -(2 ** 31),
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

/** Names that lead out of a folder, or look as if. */
export const awkwardNames: readonly string[] = [
  '../outside',
  '..',
  '.',
  '',
  '/etc/passwd',
  '/outside',
  'sub/../../outside',
  '..\\outside',
  'C:\\outside',
  'C:outside',
  '\\\\host\\share',
  '%2e%2e/outside',
  'file:///outside',
  '.\u0000.',
  'a\u0000',
  '~',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(300),
  '\ud800',
  'é',
  'model.safetensors.index.json',
  'NUL',
];
