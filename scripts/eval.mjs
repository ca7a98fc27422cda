// `npm run eval`: the default bundle against its targets, with everything that this takes; what is there is not made again.
// `npm run eval -- SUITE.json` is `parlance eval SUITE.json`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePython, NoPython, training } from './python.mjs';
import { ensureBundle, ensurePackages, ensureSystemPackages, underOwnNode } from './setup.mjs';
import { loudly, root, run } from './steps.mjs';

const voices = '/usr/share/festival/voices/english/ked_diphone';
const prompts = '/usr/share/asterisk/sounds/en_US_f_Allison';
/** Who speaks the questions, and the telephone's prompts. */
const systemPackages = [
  { name: 'flite', file: '/usr/bin/flite' },
  { name: 'festival', file: '/usr/bin/festival' },
  { name: 'festvox-kdlpc16k', file: voices },
  { name: 'asterisk-core-sounds-en-wav', file: prompts },
];

/** Fetches the recorded clips and speaks the questions; without Python the command line says what is missing. */
async function makeSuites() {
  await ensureSystemPackages(systemPackages);
  try {
    const python = await ensurePython();
    const code = await loudly(python, ['-m', 'evaluation.prepare'], { cwd: training });
    if (code !== 0) process.stderr.write('Rows that need what could not be made are left out.\n');
  } catch (error) {
    if (!(error instanceof NoPython)) throw error;
    process.stderr.write(`No suite is made: ${error.message}\n`);
  }
}

run(async () => {
  await underOwnNode();
  await ensurePackages();
  const args = process.argv.slice(2);
  const isSuite = (arg, at) =>
    arg.endsWith('.json') && existsSync(arg) && !/^(-o|--output|--bundle)$/.test(args[at - 1] ?? '');
  const asksForTargets = !args.some(isSuite) && !args.includes('--help') && !args.includes('-h');
  if (asksForTargets && !args.includes('--bundle')) await ensureBundle();
  if (asksForTargets && !args.includes('--suites')) await makeSuites();
  const command = [join(root, 'bin/parlance.mjs'), 'eval', ...args];
  process.exitCode = await loudly(process.execPath, command);
});
