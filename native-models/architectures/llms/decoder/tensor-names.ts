/** The norms of a layer by what they do; the latter two stand after a block, in families that sandwich it. */
export type NormRole = 'attention' | 'feedForward' | 'query' | 'key' | 'afterAttention' | 'afterFeedForward';

/** The linear layers of a layer, by what PyTorch's modules and LoRA adaptors call them. */
export type LinearName =
  | 'q_proj'
  | 'k_proj'
  | 'v_proj'
  | 'qkv_proj'
  | 'o_proj'
  | 'gate_proj'
  | 'up_proj'
  | 'gate_up_proj'
  | 'down_proj';

export type FolderNames = Readonly<Record<NormRole, string>>;

/** Names of tensors, without `.weight` or `.bias`. */
export interface TensorNames {
  readonly table: string;
  /** The output matrix of models that have one. */
  readonly output: string;
  readonly finalNorm: string;
  norm(layer: number, role: NormRole): string;
  linear(layer: number, name: LinearName): string;
}

/** LLaMA's norms in transformers; families name other ones. */
const folderNorms: FolderNames = {
  attention: 'input_layernorm',
  feedForward: 'post_attention_layernorm',
  query: 'self_attn.q_norm',
  key: 'self_attn.k_norm',
  afterAttention: 'post_attention_layernorm',
  afterFeedForward: 'post_feedforward_layernorm',
};

const ggufNorms: FolderNames = {
  attention: 'attn_norm',
  feedForward: 'ffn_norm',
  query: 'attn_q_norm',
  key: 'attn_k_norm',
  afterAttention: 'post_attention_norm',
  afterFeedForward: 'post_ffw_norm',
};

const ggufLinears: Readonly<Record<LinearName, string>> = {
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  qkv_proj: 'attn_qkv',
  o_proj: 'attn_output',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  // Phi-3's files keep both under the name of the one.
  gate_up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

export const ggufTensorNames: TensorNames = {
  table: 'token_embd',
  output: 'output',
  finalNorm: 'output_norm',
  norm: (layer, role) => `blk.${layer}.${ggufNorms[role]}`,
  linear: (layer, name) => `blk.${layer}.${ggufLinears[name]}`,
};

/** `root` is what stands before `layers.0…`, `output` the output matrix's name. */
export function folderTensorNames(root: string, output: string, changes: Partial<FolderNames>): TensorNames {
  const norms = { ...folderNorms, ...changes };
  const block = (name: LinearName) => (/^(gate|up|down)/.test(name) ? 'mlp' : 'self_attn');
  return {
    table: `${root}embed_tokens`,
    output,
    finalNorm: `${root}norm`,
    norm: (layer, role) => `${root}layers.${layer}.${norms[role]}`,
    linear: (layer, name) => `${root}layers.${layer}.${block(name)}.${name}`,
  };
}
