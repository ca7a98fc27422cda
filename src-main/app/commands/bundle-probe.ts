import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { ProbeRequest } from '../../../native-models/bundles/probe-request.ts';
import { chooseBundle } from '../bundle-choice.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';
import { readSoundFile } from './sound-file.ts';

const idsSchema = z
  .string()
  .regex(/^-?\d+(,-?\d+)*$/, 'is a list of token ids such as 1,2,-1')
  .transform((list) => list.split(',').map(Number));

const probeSchema = z.object({
  audio: z.array(z.string()).default([]),
  prompt: z.string().optional(),
  ids: idsSchema.optional(),
  bos: z.boolean().optional(),
  loraScale: numberOption.pipe(z.number().min(0)).optional(),
  pad: z.enum(['30', 'none']).optional(),
  output: z.string(),
});
type ProbeOptions = z.infer<typeof probeSchema>;

/** `parlance bundle probe DIR -o OUT.safetensors`. */
export function addBundleProbe(bundle: Command): void {
  const probe = bundle
    .command('probe')
    .description('Runs a bundle once and writes every intermediate tensor to a safetensors file.')
    .argument('<DIR>', 'a bundle, by its folder or its id')
    .option('--audio <WAV>', 'a clip, once for each of the prompt; without it only text is probed', repeated)
    .option('--prompt <PROMPT>', 'the whole prompt as text, {audio} where a clip goes')
    .option('--ids <IDS>', 'the prompt as token ids, -1 where a clip goes')
    .option('--bos', "put the LLM's first token in front of the prompt")
    .option('--lora-scale <X>', 'strength of the LoRA; 0 turns it off')
    .option('--pad <SECONDS>', '30 fills the sound to 30 seconds, none leaves it')
    .requiredOption('-o, --output <FILE>', 'the safetensors file');
  runs(probe, probeSchema, (invocation, options, [folder = '']) => {
    if (options.prompt !== undefined && options.ids !== undefined) {
      probe.error('error: --prompt and --ids name the same thing; give one of them', { exitCode: 2 });
    }
    return probeOne(invocation, folder, options);
  });
}

function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

async function probeOne({ home, output }: Invocation, folder: string, options: ProbeOptions): Promise<void> {
  const { audio, output: out, prompt, ids, bos, loraScale, pad } = options;
  const clips = await Promise.all(audio.map(async (path) => (await readSoundFile(path)).samples));
  const request: ProbeRequest = {
    folder: chooseBundle(home.models, folder).folder,
    clips,
    out: resolve(out),
    ...(prompt !== undefined && { prompt }),
    ...(ids !== undefined && { ids }),
    ...(bos !== undefined && { bos }),
    ...(loraScale !== undefined && { loraScale }),
    ...(pad !== undefined && { pad }),
  };
  const shapes = await probeBundle(request);
  output.event({ type: 'done', file: request.out, tensors: shapes });
  for (const [name, shape] of Object.entries(shapes)) output.text(`${name}  [${shape.join(', ')}]\n`);
}
