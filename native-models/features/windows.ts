const shapes = {
  hann: (angle: number) => 0.5 - 0.5 * Math.cos(angle),
  hamming: (angle: number) => 0.54 - 0.46 * Math.cos(angle),
  /** Kaldi's own: a Hann window to the power of 0.85. */
  povey: (angle: number) => (0.5 - 0.5 * Math.cos(angle)) ** 0.85,
} as const;
export type WindowShape = keyof typeof shapes;

/**
 * A window of `size` values. `periodic` is one period of the cosine, as spectrograms want it; `symmetric` begins and ends with the
 * same value, as filters do and as Kaldi and NeMo have it.
 */
export function cosineWindow(
  shape: WindowShape,
  size: number,
  form: 'periodic' | 'symmetric',
): Float64Array<ArrayBuffer> {
  const period = form === 'periodic' ? size : size - 1;
  return Float64Array.from({ length: size }, (_, i) => shapes[shape]((2 * Math.PI * i) / period));
}
