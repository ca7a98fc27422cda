import { dirname } from 'node:path';
import { buildBundle } from '../../native-models/bundles/build.ts';
import { exportUltravox } from '../../native-models/bundles/export/ultravox.ts';
import { readRecipe } from '../../native-models/bundles/recipe.ts';
import { swapLlm } from '../../native-models/bundles/swap-llm.ts';
import { toFailure } from '../contract/index.ts';
import { asParlanceError } from '../engine/failures.ts';
import { type BuildOrder, type BuildReport, buildOrderSchema } from '../models/build-run.ts';
import { parentPort } from './parent-port.ts';

/** The build process: takes an order as its one argument, reports its steps, and ends. */
const port = parentPort();
const report = (message: BuildReport): void => port.send(message);

try {
  await carryOut(buildOrderSchema.parse(JSON.parse(process.argv[2] ?? '')));
  report({ type: 'done' });
} catch (error) {
  report({ type: 'failed', failure: toFailure(asParlanceError(error)) });
}
port.close();

async function carryOut(order: BuildOrder): Promise<void> {
  const onProgress = (progress: { step: string; done: number; total: number }) =>
    report({ type: 'step', ...progress });
  if (order.kind === 'swap-llm') {
    await swapLlm({ ...order, onProgress, onNote: (text) => report({ type: 'note', text }) });
    return;
  }
  if (order.kind === 'export-ultravox') {
    const { recipe, ...others } = order;
    const read = recipe === null ? null : readRecipe(recipe);
    await exportUltravox({ ...others, recipe: read, recipeFolder: dirname(recipe ?? ''), onProgress });
    return;
  }
  const { recipe, sources, out } = order;
  await buildBundle({
    recipe: readRecipe(recipe),
    recipeFolder: dirname(recipe),
    sources,
    out,
    onProgress,
  });
}
