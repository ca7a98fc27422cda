// `npm test`: sets up what the tests need, runs every runner, and ends with `N passed, N failed`.
// `npm test -- unit e2e` runs only the runners named.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBundle, ensurePackages, ensureScreen, ensureSystemPackages, underOwnNode } from './setup.mjs';
import { cache, loudly, root, run, StepError } from './steps.mjs';

const bin = (name) => join(root, 'node_modules/.bin', name);
const results = join(cache, 'results');
const home = join(cache, 'test-home');

/** A check without cases of its own counts as one. */
async function check(name, command, args) {
  process.stderr.write(`\n== ${name}\n`);
  const code = await loudly(command, args);
  return { name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function vitest(environment) {
  process.stderr.write('\n== unit, parity and integration tests\n');
  const file = join(results, 'vitest.json');
  const code = await loudly(
    bin('vitest'),
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    {
      env: environment,
    },
  );
  if (!existsSync(file)) return { name: 'vitest', passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const brokenFiles = report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    name: 'vitest',
    passed: report.numPassedTests,
    // A run that failed without a failed case (an unhandled rejection, say) still failed.
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function playwright(environment) {
  process.stderr.write('\n== end-to-end tests in Chromium\n');
  const file = join(results, 'playwright.json');
  const code = await loudly(
    bin('playwright'),
    ['test', '--config', 'tests/e2e/playwright.config.ts', '--reporter=list,json'],
    {
      env: { ...environment, PLAYWRIGHT_JSON_OUTPUT_NAME: file, PLAYWRIGHT_JSON_OUTPUT_FILE: file },
    },
  );
  if (!existsSync(file)) return { name: 'playwright', passed: 0, failed: 1, skipped: 0 };
  const { stats, errors } = JSON.parse(readFileSync(file, 'utf8'));
  const failed = stats.unexpected + (errors?.length ?? 0);
  return {
    name: 'playwright',
    passed: stats.expected + stats.flaky,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: stats.skipped,
  };
}

run(async () => {
  await underOwnNode();
  await ensurePackages();
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const wanted = process.argv.slice(2);
  const chosen = (name) => wanted.length === 0 || wanted.includes(name);
  const missing = await ensureSystemPackages([
    { name: 'chromium', file: '/usr/bin/chromium' },
    { name: 'fonts-inter', file: '/usr/share/fonts/opentype/inter' },
  ]);
  if (missing.includes('chromium') && chosen('e2e')) {
    throw new StepError(
      'The end-to-end tests need Chromium at /usr/bin/chromium: install Debian’s package `chromium`, then run `npm test` again.',
    );
  }
  const environment = {
    ...process.env,
    PARLANCE_TEST_BUNDLE: join(home, 'models/parlance-mini'),
    PARLANCE_TEST_WEIGHTS: join(home, 'downloads'),
  };
  if (chosen('unit') || chosen('e2e')) {
    await ensureBundle({ PARLANCE_HOME: home }, ['--keep-downloads']);
    await ensureScreen();
  }
  const outcomes = [];
  if (chosen('static')) {
    outcomes.push(await check('formatting and linting', bin('biome'), ['ci', '.']));
    outcomes.push(await check('types, main process', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']));
    outcomes.push(
      await check('types, screen', bin('svelte-check'), [
        '--tsconfig',
        'src-renderer/tsconfig.json',
        '--fail-on-warnings',
      ]),
    );
    outcomes.push(
      await check('import rules', bin('depcruise'), [
        '--config',
        '.dependency-cruiser.cjs',
        'src-main',
        'src-renderer',
        'native-models',
      ]),
    );
    outcomes.push(
      await check('desktop build', bin('electron-vite'), ['build', '--outDir', join(cache, 'desktop-build')]),
    );
  }
  if (chosen('unit')) outcomes.push(await vitest(environment));
  if (chosen('e2e')) outcomes.push(await playwright(environment));
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  process.stdout.write('\n');
  for (const { name, passed, failed, skipped } of outcomes) {
    process.stdout.write(
      `${name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`,
    );
  }
  const skipped = sum('skipped');
  process.stdout.write(
    `${sum('passed')} passed, ${sum('failed')} failed${skipped ? `, ${skipped} skipped` : ''}\n`,
  );
  process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
});
