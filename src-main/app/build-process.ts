import { dirname } from 'node:path';
import { buildBundle } from '../../native-models/bundles/build.ts';
import { readRecipe } from '../../native-models/bundles/recipe.ts';
import { toFailure } from '../contract/index.ts';
import { asParlanceError } from '../engine/failures.ts';
import { type BuildReport, buildOrderSchema } from '../models/build-run.ts';
import { parentPort } from './parent-port.ts';

/** The build process: takes an order as its one argument, reports its steps, and ends. */
const port = parentPort();
const report = (message: BuildReport): void => port.send(message);

try {
  const { recipe, sources, out } = buildOrderSchema.parse(JSON.parse(process.argv[2] ?? ''));
  await buildBundle({
    recipe: readRecipe(recipe),
    recipeFolder: dirname(recipe),
    sources,
    out,
    onProgress: (progress) => report({ type: 'step', ...progress }),
  });
  report({ type: 'done' });
} catch (error) {
  report({ type: 'failed', failure: toFailure(asParlanceError(error)) });
}
port.close();
