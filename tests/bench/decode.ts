// Time of one decoding step by length of context, for both forms of a bundle's decoder on the CPU, interleaved:
//   node tests/bench/decode.ts BUNDLE [THREADS]
// `rows` reads caches where they lie and gives the new rows; `whole` gets the past and gives it back one longer.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readManifest } from '../../native-models/bundles/verify.ts';

const contexts = [64, 256, 512, 1024, 2048];
const rounds = 5;
const stepsARound = 8;

const [folder, threads = '2'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node tests/bench/decode.ts BUNDLE [THREADS]');
const { llm } = await readManifest(folder);
if (llm === null) throw new Error(`${folder} has no language model`);
const { layers, kvHeads, headSize, hidden } = llm;
const options = { intraOpNumThreads: Number(threads), graphOptimizationLevel: 'all' } as const;
const forms = {
  rows: await InferenceSession.create(join(folder, llm.rowsGraph), options),
  whole: await InferenceSession.create(join(folder, llm.deviceGraph), options),
};

/** One position after `past` others, whose keys and values are all zero: the time does not hang on their values. */
function feeds(session: InferenceSession, past: number): Record<string, Tensor> {
  const cache = new Float32Array(kvHeads * past * headSize);
  const given: Record<string, Tensor> = {
    inputs_embeds: new Tensor('float32', new Float32Array(hidden).fill(0.1), [1, 1, hidden]),
    seqlens_k: new Tensor('int32', Int32Array.of(past), [1]),
    total_sequence_length: new Tensor('int32', Int32Array.of(past + 1), []),
    lora_scale: new Tensor('float32', Float32Array.of(0), []),
  };
  for (let layer = 0; layer < layers; layer++)
    for (const kind of ['key', 'value'])
      given[`past_key_values.${layer}.${kind}`] = new Tensor('float32', cache, [1, kvHeads, past, headSize]);
  return Object.fromEntries(Object.entries(given).filter(([name]) => session.inputNames.includes(name)));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

process.stdout.write(
  `${cpus()[0]?.model}, ${threads} threads, ${new Date().toISOString().slice(0, 10)}; ms a step, median of ${rounds * stepsARound}\n`,
);
process.stdout.write('context   rows  whole  whole/rows\n');
for (const past of contexts) {
  const times = { rows: [] as number[], whole: [] as number[] };
  for (let round = 0; round <= rounds; round++)
    for (const form of ['rows', 'whole'] as const) {
      const given = feeds(forms[form], past);
      for (let step = 0; step < stepsARound; step++) {
        const start = performance.now();
        await forms[form].run(given);
        // The first round warms up.
        if (round > 0) times[form].push(performance.now() - start);
      }
    }
  const [rows, whole] = [median(times.rows), median(times.whole)];
  const ratio = (whole / rows).toFixed(2);
  process.stdout.write(
    `${String(past).padStart(7)} ${rows.toFixed(1).padStart(6)} ${whole.toFixed(1).padStart(6)} ${ratio.padStart(11)}\n`,
  );
}
