// `npm test`: sets up what the tests need, runs every runner, and ends with `N passed, N failed`.
// `npm test -- unit e2e` runs only the runners named.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePython, NoPython, training } from './python.mjs';
import {
  ensurePackages,
  ensureScreen,
  ensureSystemPackages,
  ensureVoices,
  ensureWeights,
  testHome,
  underOwnNode,
} from './setup.mjs';
import { cache, loudly, root, run, StepError } from './steps.mjs';

const bin = (name) => join(root, 'node_modules/.bin', name);
const results = join(cache, 'results');

const voices = [
  { name: 'flite', file: '/usr/bin/flite' },
  { name: 'espeak-ng', file: '/usr/bin/espeak-ng' },
  { name: 'festival', file: '/usr/bin/festival' },
  { name: 'festvox-kallpc16k', file: '/usr/share/festival/voices/english/kal_diphone' },
  { name: 'festvox-kdlpc16k', file: '/usr/share/festival/voices/english/ked_diphone' },
  { name: 'festvox-us-slt-hts', file: '/usr/share/festival/voices/us/cmu_us_slt_arctic_hts' },
];

/** A check without cases of its own counts as one. */
async function check(name, command, args, options) {
  process.stderr.write(`\n== ${name}\n`);
  const code = await loudly(command, args, options);
  return { name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Several runners' outcomes as one. */
function sum(name, outcomes) {
  const total = (key) => outcomes.reduce((count, outcome) => count + outcome[key], 0);
  return { name, passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
}

function figures({ passed, failed, skipped, reason }) {
  const left = skipped ? `, ${skipped} skipped` : '';
  return `${passed} passed, ${failed} failed${left}${reason ? ` (${reason})` : ''}`;
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

/** The workbench's Python; where it cannot be had, each of its runners is one skip that says why. */
async function workbench() {
  // Without them the tests of voices and texts skip themselves; nothing else needs them.
  await ensureSystemPackages(voices);
  try {
    return { python: await ensurePython(), reason: null };
  } catch (error) {
    if (!(error instanceof NoPython)) throw error;
    process.stderr.write(`The training workbench is skipped: ${error.message}\n`);
    return { python: null, reason: error.message };
  }
}

async function pytest(python) {
  process.stderr.write('\n== the training workbench’s tests\n');
  const file = join(results, 'pytest.xml');
  const code = await loudly(python, ['-m', 'pytest', '-rs', `--junit-xml=${file}`], { cwd: training });
  if (!existsSync(file)) return { name: 'pytest', passed: 0, failed: 1, skipped: 0 };
  const suite = /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
  const count = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return {
    name: 'pytest',
    passed: count('tests') - failed - skipped,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped,
  };
}

/** Runs `work(python)`, or counts the skip of what it would have been. */
const withPython = async ({ python, reason }, name, work) =>
  python === null ? { name, passed: 0, failed: 0, skipped: 1, reason } : work(python);

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
    PARLANCE_TEST_BUNDLE: join(testHome, 'models/parlance-mini'),
    PARLANCE_TEST_WEIGHTS: join(testHome, 'downloads'),
    PARLANCE_TEST_VOICES: join(testHome, 'voices/kokoro'),
  };
  if (chosen('unit') || chosen('e2e')) {
    await ensureWeights();
    await ensureVoices();
    await ensureScreen();
  }
  const outcomes = [];
  const trainer = chosen('static') || chosen('training') ? await workbench() : null;
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
      await withPython(trainer, 'formatting and linting, Python', async (python) => {
        const lint = await check('linting, Python', python, ['-m', 'ruff', 'check', '.'], { cwd: training });
        const args = ['-m', 'ruff', 'format', '--check', '.'];
        return sum('formatting and linting, Python', [
          lint,
          await check('formatting, Python', python, args, { cwd: training }),
        ]);
      }),
    );
    outcomes.push(
      await check('desktop build', bin('electron-vite'), ['build', '--outDir', join(cache, 'desktop-build')]),
    );
  }
  if (chosen('unit')) outcomes.push(await vitest(environment));
  if (chosen('e2e')) outcomes.push(await playwright(environment));
  if (chosen('training')) {
    outcomes.push(await withPython(trainer, 'pytest', pytest));
    outcomes.push(
      await withPython(trainer, 'train:smoke', () =>
        check('train:smoke', process.execPath, [join(root, 'scripts/train-smoke.mjs')]),
      ),
    );
  }
  process.stdout.write('\n');
  for (const outcome of outcomes) process.stdout.write(`${outcome.name}: ${figures(outcome)}\n`);
  const all = sum('all', outcomes);
  process.stdout.write(`${figures(all)}\n`);
  process.exitCode = all.failed === 0 && all.passed > 0 ? 0 : 1;
});
