import type { Command } from 'commander';
import { addBundleBuild } from './bundle-build.ts';
import { addBundleExport } from './bundle-export.ts';
import { addBundleInspect } from './bundle-inspect.ts';
import { addBundleProbe } from './bundle-probe.ts';
import { addBundleSpectrum } from './bundle-spectrum.ts';
import { addBundleSwapLlm } from './bundle-swap-llm.ts';

/** `parlance bundle build|swap-llm|export|spectrum|probe|inspect`: the foundry's door for those who make bundles. */
export function addBundle(program: Command): void {
  const bundle = program.command('bundle').description('Builds bundles of models, and looks inside them.');
  addBundleBuild(bundle);
  addBundleProbe(bundle);
  addBundleSwapLlm(bundle);
  addBundleExport(bundle);
  addBundleSpectrum(bundle);
  addBundleInspect(bundle);
}
