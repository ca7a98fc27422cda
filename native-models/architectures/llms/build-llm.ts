import { ModelError } from '../../errors.ts';
import { Gguf } from '../../formats/gguf.ts';
import { buildLlama } from './llama.ts';
import type { BuiltLlm, LlmRequest } from './llm.ts';

/** Writes the LLM's graphs and its tokenizer. Throws `ModelError`, naming what does not fit. */
export async function buildLlm({ weights, lora, folder, quantize }: LlmRequest): Promise<BuiltLlm> {
  if (!(weights instanceof Gguf))
    throw new ModelError('not-supported', 'The LLM is no GGUF file.', 'Give the LLM as a GGUF file.');
  if (quantize !== 'keep' && quantize !== 'q8')
    throw new ModelError(
      'not-supported',
      `The recipe wants ${quantize} for the llm, which this version cannot build.`,
      'It builds keep, q8.',
    );
  return buildLlama({ gguf: weights, lora, folder });
}
