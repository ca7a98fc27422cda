import type { Command } from 'commander';
import { z } from 'zod';
import { examine } from '../../models/doctor.ts';
import { openStore } from '../../store/open-store.ts';
import { entryUrl } from '../entries.ts';
import type { Home } from '../home.ts';
import { createMachine } from '../machine.ts';
import { runs } from './invocation.ts';

/** Opening examines the file's pages and brings its tables up to date. */
async function checkDatabase({ folder }: Home): Promise<string> {
  const store = await openStore({ folder, workerUrl: entryUrl('store-worker') });
  try {
    const found = await store.conversations({ limit: 1000 });
    if (found.length === 1) return 'opens; 1 conversation';
    return `opens; ${found.length === 1000 ? 'more than 999' : found.length} conversations`;
  } finally {
    await store.close();
  }
}

/** `parlance doctor`: everything that Parlance needs on this machine, looked at. Exit code 1 when something does not work. */
export function addDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .description('Looks at everything that Parlance needs on this machine.');
  runs(doctor, z.object({}), async ({ home, log, output }) => {
    const { place } = createMachine(home, log);
    const checks = await examine({ place, checkDatabase: () => checkDatabase(home) });
    for (const check of checks) {
      const { name, ok, detail, hint } = check;
      output.event({ type: 'check', ...check });
      output.text(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${detail}${hint === null ? '' : `\n      ${hint}`}\n`);
    }
    if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
  });
}
