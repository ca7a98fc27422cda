import { join } from 'node:path';
import { z } from 'zod';
import { languageModel, type ModelSource } from '../../architectures/llms/decoder/model-source.ts';
import { ConfigFields, readJsonFile, readTextFile } from '../../formats/config-fields.ts';
import { floatText, parseToCopy } from '../../formats/number-text.ts';

/** The classes of transformers, which vLLM knows by the same names, by `model_type`. */
const classes: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  gemma3_text: 'Gemma3ForCausalLM',
  phi3: 'Phi3ForCausalLM',
  granite: 'GraniteForCausalLM',
  smollm3: 'SmolLM3ForCausalLM',
};

/** What concerns the folder that it was read from alone; `auto_map` would have code of that model run. */
const dropped = [
  'auto_map',
  '_name_or_path',
  'quantization_config',
  'transformers_version',
  'dtype',
  'torch_dtype',
];

type Fields = Record<string, unknown>;

/**
 * The language model's part of config.json in a Hugging Face folder, as its publisher wrote it. Throws what `refused` makes of a
 * `model_type` that transformers has no class for.
 */
export function configOfFolder(
  folder: string,
  architecture: string | null,
  refused: (fault: string) => Error,
): Fields {
  const path = join(folder, 'config.json');
  const { config } = languageModel(new ConfigFields(path, readJsonFile(path)), architecture);
  const whole = new ConfigFields(path, parseToCopy(readTextFile(path) ?? '{}'));
  // A part is named behind its file.
  const copied = config.path === path ? whole : whole.part(config.path.slice(path.length + 2));
  const type = config.read('model_type', z.string());
  if (!Object.hasOwn(classes, type))
    throw refused(`its language model's config.json says model_type ${type}`);
  const fields = Object.entries(copied?.all() ?? {}).filter(([key]) => !dropped.includes(key));
  const positions = copied === null ? {} : positionsForOlder(copied);
  return { ...positions, ...Object.fromEntries(fields), model_type: type, architectures: [classes[type]] };
}

/**
 * The fields that transformers 4 reads positions from, where the file has those of transformers 5 alone: without them it would take
 * its defaults, and say nothing.
 */
function positionsForOlder(config: ConfigFields): Fields {
  const both = config.part('rope_parameters');
  const [everywhere, near] = [both?.part('full_attention') ?? both, both?.part('sliding_attention')];
  const { rope_theta: theta, ...scaling } = everywhere?.all() ?? {};
  const local = near?.all().rope_theta;
  const isScaled = scaling.rope_type !== undefined && scaling.rope_type !== 'default';
  return {
    ...(theta !== undefined && { rope_theta: theta }),
    ...(local !== undefined && { rope_local_base_freq: local }),
    ...(isScaled && { rope_scaling: scaling }),
  };
}

/** Families whose GGUF files say all that transformers' configuration asks for. */
const fromGguf = ['llama', 'qwen2', 'qwen3'];

/**
 * The same for a GGUF file, out of the settings that the foundry read: `middle` is the width inside of the feed-forward blocks.
 * Throws what `refused` makes of families and positions that such a file does not tell all of.
 */
export function configOfGguf(
  { family, settings }: ModelSource,
  { middle, biased }: { middle: number; biased: boolean },
  refused: (fault: string) => Error,
): Fields {
  const [first] = settings.attention;
  const rotary = first?.rotary ?? null;
  const isPlain = settings.attention.every(
    (layer) => layer.rotary !== null && layer.rotary.scaling.kind === 'none' && layer.window === null,
  );
  const whole = rotary?.dimensions === settings.headSize;
  if (rotary === null || !isPlain || !whole || !fromGguf.includes(family.name))
    throw refused(
      `its language model is a GGUF file of ${family.name} with positions of its own, of which such a file does not tell all: name its Hugging Face folder in the recipe`,
    );
  const { hidden, layers, heads, kvHeads, headSize, epsilon, contextLength } = settings;
  return {
    model_type: family.name,
    architectures: [classes[family.name]],
    hidden_size: hidden,
    intermediate_size: middle,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headSize,
    hidden_act: 'silu',
    rms_norm_eps: floatText(epsilon),
    rope_theta: floatText(rotary.theta),
    max_position_embeddings: contextLength,
    // Qwen 2 has biases whatever its configuration says; the others have them where it says so.
    ...(family.name !== 'qwen2' && { attention_bias: biased }),
  };
}
