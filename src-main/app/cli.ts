import { Command, CommanderError } from 'commander';
import { appVersion } from './version.ts';

type Add = (program: Command) => void;

/** Loaded when they are asked for, so that a quick command does not wait for the models' and the foundry's code. */
const commands: Readonly<Record<string, () => Promise<Add>>> = {
  ask: async () => (await import('./commands/ask.ts')).addAsk,
  transcribe: async () => (await import('./commands/transcribe.ts')).addTranscribe,
  history: async () => (await import('./commands/history.ts')).addHistory,
  models: async () => (await import('./commands/models.ts')).addModels,
  bundle: async () => (await import('./commands/bundle.ts')).addBundle,
  say: async () => (await import('./commands/say.ts')).addSay,
  eval: async () => (await import('./commands/eval.ts')).addEval,
  bench: async () => (await import('./commands/bench.ts')).addBench,
  devices: async () => (await import('./commands/devices.ts')).addDevices,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
};

/** Wrong usage, told the way the command's other failures are. */
function tellUsageError(text: string, write: (text: string) => void): void {
  if (!process.argv.includes('--json')) {
    write(text);
    return;
  }
  const message = text.replace(/^error: /, '').trim();
  const hint = 'Run the command with --help to see how it is used.';
  process.stdout.write(`${JSON.stringify({ type: 'error', code: 'invalid-request', message, hint })}\n`);
}

/** With the command that is named, or with all of them: for `--help`, and to say what an unknown name could mean. */
async function createProgram(named: string | undefined): Promise<Command> {
  const program = new Command('parlance')
    .description('A voice assistant whose language model hears, all on your own machine.')
    .version(appVersion())
    .helpCommand(false)
    .configureOutput({ outputError: tellUsageError })
    .exitOverride();
  const only = named !== undefined && Object.hasOwn(commands, named) ? commands[named] : undefined;
  for (const load of only === undefined ? Object.values(commands) : [only]) (await load())(program);
  return program;
}

// A reader that has seen enough (`parlance history show … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  const program = await createProgram(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
