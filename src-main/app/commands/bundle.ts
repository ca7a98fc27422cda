import type { Command } from 'commander';
import { addBundleBuild } from './bundle-build.ts';
import { addBundleProbe } from './bundle-probe.ts';
import { addBundleSwapLlm } from './bundle-swap-llm.ts';

/** `parlance bundle build|probe|swap-llm`: the foundry's door for those who make bundles. */
export function addBundle(program: Command): void {
  const bundle = program.command('bundle').description('Builds bundles of models, and looks inside them.');
  addBundleBuild(bundle);
  addBundleProbe(bundle);
  addBundleSwapLlm(bundle);
}
