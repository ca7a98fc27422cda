// What `npx parlance` needs in a fresh checkout before it can run: a Node that fits, and the packages.
import { ensurePackages, underOwnNode } from './setup.mjs';
import { run } from './steps.mjs';

run(async () => {
  await underOwnNode();
  await ensurePackages();
});
