import type { DecoderLayout } from '../../../native-models/published/decoder-layout.ts';
import { Past } from '../../../native-models/published/past.ts';
import type { KeyValueCache } from '../caches/key-value-cache.ts';
import type { Feeds, Outputs } from '../onnxruntime/session.ts';

/** Keys and values as a published graph gives them: whole tensors, which one step gives and the next one takes. */
export class PublishedCache implements KeyValueCache {
  readonly past: Past;
  readonly outputs: readonly string[];

  constructor({ pasts }: DecoderLayout) {
    this.past = new Past(pasts);
    this.outputs = pasts.map(({ present }) => present);
  }

  get length(): number {
    return this.past.length;
  }

  get bytes(): number {
    return this.past.bytes;
  }

  feeds(): Feeds {
    return this.past.feeds();
  }

  accept(outputs: Outputs, added: number): void {
    this.past.accept(outputs, added);
  }

  truncate(length: number): Promise<void> {
    this.past.truncate(length);
    return Promise.resolve();
  }

  follow(other: KeyValueCache): Promise<void> {
    if (!(other instanceof PublishedCache)) throw new TypeError('a published cache follows its own kind');
    this.past.follow(other.past);
    return Promise.resolve();
  }

  rows(): Promise<Float32Array> {
    return Promise.resolve(this.past.values());
  }

  dispose(): void {
    this.past.truncate(0);
  }
}
