import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { ProbeRequest } from '../../../native-models/bundles/probe-request.ts';
import { readManifest } from '../../../native-models/bundles/verify.ts';
import { runBuild } from '../../models/build-run.ts';
import { chooseBundle } from '../bundle-choice.ts';
import { createMachine } from '../machine.ts';
import { type Invocation, numberOption, runs } from './invocation.ts';
import { createProgressLine } from './progress-line.ts';
import { readSoundFile } from './sound-file.ts';

const buildSchema = z.object({ output: z.string() });

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

/** `parlance bundle build|probe`: the foundry's door for those who make bundles. */
export function addBundle(program: Command): void {
  const bundle = program.command('bundle').description('Builds bundles of models, and looks inside them.');

  const build = bundle
    .command('build')
    .description('Builds a bundle from a recipe and the weights that it names.')
    .argument('<RECIPE.json>')
    .requiredOption('-o, --output <DIR>', "the bundle's folder");
  runs(build, buildSchema, (invocation, options, [recipe = '']) =>
    buildOne(invocation, recipe, options.output),
  );

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

async function buildOne(
  { home, log, output, signal }: Invocation,
  recipe: string,
  out: string,
): Promise<void> {
  const line = createProgressLine(output);
  const order = { recipe: resolve(recipe), sources: {}, out: resolve(out) };
  try {
    await runBuild(
      createMachine(home, log).place,
      order,
      ({ step, done, total }) =>
        line.show({
          bundle: out,
          phase: 'building',
          file: step,
          bytes: done,
          totalBytes: total,
          source: null,
          message: null,
        }),
      signal,
    );
  } finally {
    line.end();
  }
  const { id, files } = readManifest(order.out);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  output.event({ type: 'done', bundle: id, folder: order.out, bytes });
  output.text(`${id} is built: ${(bytes / 1e6).toFixed(0)} MB in ${order.out}\n`);
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
