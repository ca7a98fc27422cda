import { ModelError } from '../../errors.ts';
import type { LlmFamily } from './family.ts';
import { gemma3 } from './gemma3.ts';
import { granite } from './granite.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { smollm3 } from './smollm3.ts';

const families: readonly LlmFamily[] = [llama, qwen2, qwen3, gemma3, mistral, phi3, granite, smollm3];

/** The family of a `general.architecture` or `model_type`, or null where none is known by that name. */
export function knownFamily(name: string): LlmFamily | null {
  return families.find((family) => family.name === name || family.modelTypes.includes(name)) ?? null;
}

/** The same; `where` names it for the error. Throws `not-supported`. */
export function llmFamily(name: string, where: string): LlmFamily {
  const family = knownFamily(name);
  if (family !== null) return family;
  throw new ModelError(
    'not-supported',
    `${where} is of architecture ${name}.`,
    `These language models are built: ${families.map((known) => known.name).join(', ')}.`,
  );
}
