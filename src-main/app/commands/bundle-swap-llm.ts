import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { bundleIdSchema } from '../../../native-models/bundles/manifest.ts';
import { chooseBundle } from '../bundle-choice.ts';
import { makeBundle } from './bundle-build.ts';
import { runs } from './invocation.ts';

const swapSchema = z.object({
  llm: z.string(),
  architecture: z.string().optional(),
  quantize: z.enum(['keep', 'none', 'q8', 'q4']).default('keep'),
  id: bundleIdSchema.optional(),
  name: z.string().optional(),
  keepLora: z.string().optional(),
  output: z.string(),
});

/** `parlance bundle swap-llm DIR --llm SOURCE -o DIR`. */
export function addBundleSwapLlm(bundle: Command): void {
  const swap = bundle
    .command('swap-llm')
    .description("Puts another LLM under a bundle's encoder and adaptor, without training.")
    .argument('<DIR>', 'a bundle, by its folder or its id')
    .requiredOption('--llm <SOURCE>', 'the weights of the LLM: a GGUF file or a Hugging Face folder')
    .option('--architecture <NAME>', 'the family of the LLM, where its weights do not say it')
    .option('--quantize <FORMAT>', 'keep, none, q8 or q4')
    .option('--id <ID>', "the new bundle's id")
    .option('--name <NAME>', "the new bundle's name")
    .option('--keep-lora <FILE>', "the old LLM's LoRA beside the new one too, from the file it came from")
    .requiredOption('-o, --output <DIR>', "the new bundle's folder");
  runs(swap, swapSchema, (invocation, options, [folder = '']) =>
    makeBundle(invocation, {
      kind: 'swap-llm',
      bundle: chooseBundle(invocation.home.models, folder).folder,
      llm: resolve(options.llm),
      architecture: options.architecture ?? null,
      quantize: options.quantize,
      id: options.id ?? null,
      name: options.name ?? null,
      keepLora: options.keepLora === undefined ? null : resolve(options.keepLora),
      out: resolve(options.output),
    }),
  );
}
