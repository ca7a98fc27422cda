import type { Command } from 'commander';
import { z } from 'zod';
import type { DeviceReport } from '../../contract/index.ts';
import { chosenOf, reportDevices } from '../../models/devices.ts';
import { createMachine } from '../machine.ts';
import { runs } from './invocation.ts';

const optionsSchema = z.object({ again: z.boolean().optional() });

function reportLine({ provider, works, reason, stepMs }: DeviceReport, isUsed: boolean): string {
  const speed = stepMs === null ? '' : `${stepMs.toFixed(1)} ms a step`;
  const state = works ? speed : 'does not work';
  return `${provider}  ${state}${isUsed ? '  (used)' : ''}${reason === null ? '' : `  ${reason}`}\n`;
}

/** `parlance devices`: what each execution provider can do on this machine, tried with a real step. */
export function addDevices(program: Command): void {
  const devices = program
    .command('devices')
    .description('Shows which of this machine can run a model, how fast, and why not.')
    .option('--again', 'try them anew, whatever was found before');
  runs(devices, optionsSchema, async ({ home, log, output }, { again }) => {
    const reports = await reportDevices({ place: createMachine(home, log).place, again: again === true });
    const used = chosenOf(reports);
    for (const report of reports) {
      const isUsed = report.provider === used;
      output.event({ type: 'device', ...report, used: isUsed });
      output.text(reportLine(report, isUsed));
    }
  });
}
