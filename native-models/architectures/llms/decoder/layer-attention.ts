import { z } from 'zod';
import type { ConfigFields } from '../../../formats/config-fields.ts';
import type { RotarySettings } from '../../../layers/rotary.ts';
import { count, windowedLayers } from './config-settings.ts';
import { type DecoderShape, type LayerAttention, windowWithin } from './settings.ts';

/** For each layer the second kind where `isSecond` says so, else the first. */
export function ofTwoKinds(
  layers: number,
  first: LayerAttention,
  second: LayerAttention,
  isSecond: (layer: number) => boolean,
): LayerAttention[] {
  return Array.from({ length: layers }, (_, layer) => (isSecond(layer) ? second : first));
}

/** One window for all layers; null for none. */
export function allAlike(
  { layers, contextLength }: DecoderShape,
  rotary: RotarySettings,
  window: number | null,
): LayerAttention[] {
  const kind = { rotary, window: windowWithin(window, contextLength) };
  return new Array<LayerAttention>(layers).fill(kind);
}

/** Qwen's windows: off unless `use_sliding_window`, and then from layer `max_window_layers` on. */
export function qwenAttention(
  config: ConfigFields,
  { layers, contextLength }: DecoderShape,
  rotary: RotarySettings,
): LayerAttention[] {
  const used = config.read('use_sliding_window', z.boolean().default(false));
  const window = used ? config.read('sliding_window', count(Number.MAX_SAFE_INTEGER).default(4096)) : null;
  const first = config.read('max_window_layers', z.number().int().nonnegative().default(28));
  const windowed = windowedLayers(config, layers, (layer) => window !== null && layer >= first);
  const near = { rotary, window: windowWithin(window, contextLength) };
  return windowed.map((isNear) => (isNear ? near : { rotary, window: null }));
}
