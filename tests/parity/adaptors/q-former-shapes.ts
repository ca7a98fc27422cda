type Shapes = Record<string, readonly number[]>;

interface QFormerSizes {
  /** Of the layers that look at frames. */
  readonly crossLayers: readonly number[];
  readonly layers: number;
  readonly width: number;
  readonly inner: number;
  readonly frames: number;
}

/** The tensors of a Q-Former under a prefix; `projections` is what the original calls query, key and value together. */
export function qFormerShapes(
  prefix: string,
  projections: 'self' | 'attention',
  sizes: QFormerSizes,
): Shapes {
  const { width, inner, frames } = sizes;
  const shapes: Shapes = {};
  const linear = (name: string, rows: number, columns: number) => {
    shapes[`${prefix}${name}.weight`] = [rows, columns];
    shapes[`${prefix}${name}.bias`] = [rows];
  };
  const norm = (name: string) => {
    shapes[`${prefix}${name}.weight`] = [width];
    shapes[`${prefix}${name}.bias`] = [width];
  };
  const attention = (name: string, seen: number) => {
    linear(`${name}.${projections}.query`, width, width);
    linear(`${name}.${projections}.key`, width, seen);
    linear(`${name}.${projections}.value`, width, seen);
    linear(`${name}.output.dense`, width, width);
    norm(`${name}.output.LayerNorm`);
  };
  norm(projections === 'self' ? 'embeddings.LayerNorm' : 'layernorm');
  for (let layer = 0; layer < sizes.layers; layer++) {
    const stem = `encoder.layer.${layer}`;
    attention(`${stem}.attention`, width);
    if (sizes.crossLayers.includes(layer)) attention(`${stem}.crossattention`, frames);
    linear(`${stem}.intermediate_query.dense`, inner, width);
    linear(`${stem}.output_query.dense`, width, inner);
    norm(`${stem}.output_query.LayerNorm`);
  }
  return shapes;
}

/** A SALMONN checkpoint's own tensors, for frames of 48 columns, with 16 more of a second encoder. */
export function salmonnShapes(queries: number, layers: number, second: boolean): Shapes {
  const frames = second ? 64 : 48;
  const crossLayers = Array.from({ length: layers }, (_, i) => i);
  return {
    ...qFormerShapes('speech_Qformer.bert.', 'self', { crossLayers, layers, width: 48, inner: 80, frames }),
    speech_query_tokens: [1, queries, 48],
    'ln_speech.weight': [48],
    'ln_speech.bias': [48],
    ...(second && { 'ln_audio.weight': [16], 'ln_audio.bias': [16] }),
    'speech_llama_proj.weight': [32, 48],
    'speech_llama_proj.bias': [32],
  };
}
