import { Command, CommanderError } from 'commander';
import { addAsk } from './commands/ask.ts';
import { addBundle } from './commands/bundle.ts';
import { addDevices } from './commands/devices.ts';
import { addDoctor } from './commands/doctor.ts';
import { addHistory } from './commands/history.ts';
import { addModels } from './commands/models.ts';
import { addTranscribe } from './commands/transcribe.ts';
import { appVersion } from './version.ts';

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

function createProgram(): Command {
  const program = new Command('parlance')
    .description('A voice assistant whose language model hears, all on your own machine.')
    .version(appVersion())
    .helpCommand(false)
    .configureOutput({ outputError: tellUsageError })
    .exitOverride();
  addAsk(program);
  addTranscribe(program);
  addHistory(program);
  addModels(program);
  addBundle(program);
  addDevices(program);
  addDoctor(program);
  return program;
}

// A reader that has seen enough (`parlance history show … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
