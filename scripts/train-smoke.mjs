// `npm run train:smoke`: data, recipe, export, bundle and evaluation, all of it for real and next to nothing of each.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePython, training } from './python.mjs';
import { ensurePackages, ensureWeights, underOwnNode } from './setup.mjs';
import { cache, loudly, run } from './steps.mjs';

run(async () => {
  await underOwnNode();
  await ensurePackages();
  const python = await ensurePython();
  const weights = await ensureWeights();
  const out = join(cache, 'train-smoke');
  rmSync(out, { recursive: true, force: true });
  process.exitCode = await loudly(python, ['smoke.py', '--weights', weights, '--out', out], {
    cwd: training,
  });
});
