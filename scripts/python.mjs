// The Python of the training workbench: an environment of its own under .cache, made once for each requirements.txt.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSystemPackages } from './setup.mjs';
import { cache, digest, quietly, root, StepError, stamp, stamped, step } from './steps.mjs';

export const training = join(root, 'native-models/training');
const environment = join(cache, 'python');
const requirements = join(training, 'requirements.txt');
const gigabyte = 1e9;
/** Installed, the packages are 1.6 GB with PyTorch for the CPU and 6 GB with what its other build brings for CUDA. */
const roomFor = { cpu: 3 * gigabyte, cuda: 12 * gigabyte };

/** Why the workbench cannot run on this machine, and what a person could install. */
export class NoPython extends StepError {}

function program() {
  const windows = process.platform === 'win32';
  return windows ? join(environment, 'Scripts/python.exe') : join(environment, 'bin/python');
}

function answer(python, code) {
  const { status, stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

const pip = (args, options) =>
  quietly(program(), ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...args], options);

/** `3.12` of the first Python on the path that is new enough, with its name; none of an environment that is active. */
function systemPython() {
  const names = [
    '/usr/bin/python3',
    'python3',
    'python3.14',
    'python3.13',
    'python3.12',
    'python3.11',
    'python',
  ];
  const code =
    'import sys; v = sys.version_info; print(f"{v[0]}.{v[1]}" if v >= (3, 11) and sys.prefix == sys.base_prefix else "")';
  for (const name of names) {
    const version = answer(name, code);
    if (version) return { name, version };
  }
  return null;
}

/** A Python that can make environments; where we may, Debian's packages are installed for it. */
async function pythonWithVenv() {
  if (systemPython() === null) await ensureSystemPackages([{ name: 'python3', file: '/usr/bin/python3' }]);
  const found = systemPython();
  if (found === null) {
    throw new NoPython(
      'there is no Python 3.11 or newer on the path: install one, on Debian the packages `python3 python3-venv`',
    );
  }
  const { name, version } = found;
  // Debian's python3 has `venv` without the `ensurepip` that it needs.
  const complete = () => answer(name, 'import venv, ensurepip; print(1)') === '1';
  if (!complete()) {
    await ensureSystemPackages([
      { name: 'python3-venv', file: `/usr/lib/python${version}/ensurepip/__init__.py` },
    ]);
  }
  if (!complete()) throw new NoPython(`${name} has no \`venv\`: install Debian’s package \`python3-venv\``);
  return name;
}

/**
 * Whether pip would take the build of PyTorch for Linux that wants a dozen of NVIDIA's packages. One for the CPU is
 * called `2.13.0+cpu`, and pip prefers it wherever one of its sources carries it.
 */
async function comesWithCuda() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const wanted = /^torch==\S+/m.exec(readFileSync(requirements, 'utf8'))[0];
  const look = ['install', '--quiet', '--dry-run', '--no-deps', `${wanted}+cpu`];
  return pip(look).then(
    () => false,
    () => true,
  );
}

async function install() {
  const cuda = await comesWithCuda();
  const { bavail, bsize } = statfsSync(cache);
  const least = cuda ? roomFor.cuda : roomFor.cpu;
  if (bavail * bsize < least) {
    const free = (bavail * bsize) / gigabyte;
    throw new NoPython(
      `its packages need ${least / gigabyte} GB of disk, and ${free.toFixed(1)} GB are free`,
    );
  }
  const size = cuda ? '2.8 GB: pip’s sources have PyTorch with CUDA alone' : '0.5 GB';
  try {
    await step(`Installing the training workbench’s packages (${size})`, () =>
      pip(['install', '-r', requirements]),
    );
  } catch (error) {
    const lines = error.message.trim().split('\n');
    const told = lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1);
    throw new NoPython(
      `pip could not install its packages, which come from the index that pip is set to and need a network once: ${told}`,
    );
  }
}

/** Path of the workbench's Python with all its packages. Throws NoPython with the reason. */
export async function ensurePython() {
  const wanted = digest(['native-models/training/requirements.txt']);
  if (stamped('python', wanted) && existsSync(program())) return program();
  const python = await pythonWithVenv();
  rmSync(environment, { recursive: true, force: true });
  await step('Making a Python environment', () => quietly(python, ['-m', 'venv', environment]));
  await install();
  stamp('python', wanted);
  return program();
}
