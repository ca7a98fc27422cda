import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileJournal } from '../../../src-main/app/commands/evaluation-journal.ts';
import { parseSuite } from '../../../src-main/evaluation/suite/suite.ts';
import type { TargetTask } from '../../../src-main/evaluation/targets/rows.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const task: TargetTask = { suite: 'recorded', asks: 'transcript' };
const [item, other] = parseSuite(
  JSON.stringify([
    { audio: 'a.wav', text: 'One.' },
    { audio: 'b.wav', text: 'Two.' },
  ]),
  'suite.json',
);
if (item === undefined || other === undefined) throw new Error('the suite has two items');

function journalIn(folder: string, { bundle = 'one', sound = 'sound', anew = false } = {}) {
  return new FileJournal<string>(folder, bundle, async (_, audio) => `${sound} of ${audio}`, anew);
}

it('knows what was found of the same item, sound and bundle, and of nothing else', async () => {
  const folder = temporaryFolder();
  await journalIn(folder).write(task, item, 'found');
  expect(await journalIn(folder).read(task, item)).toBe('found');
  expect(await journalIn(folder).read(task, other)).toBeNull();
  expect(await journalIn(folder).read({ ...task, asks: 'response' }, item)).toBeNull();
  expect(await journalIn(folder, { bundle: 'another' }).read(task, item)).toBeNull();
  expect(await journalIn(folder, { sound: 'another' }).read(task, item)).toBeNull();
  expect(await journalIn(folder).read(task, { ...item, text: 'Corrected.' })).toBeNull();
});

it('goes on behind a line that was cut short', async () => {
  const folder = temporaryFolder();
  await journalIn(folder).write(task, item, 'found');
  const file = join(folder, 'recorded-transcript.jsonl');
  appendFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
  await journalIn(folder).write(task, other, 'lost with the line before');
  await journalIn(folder).write(task, other, 'found again');
  expect(await journalIn(folder).read(task, item)).toBe('found');
  expect(await journalIn(folder).read(task, other)).toBe('found again');
});

it('looks at nothing when all is asked anew, and the new counts from then on', async () => {
  const folder = temporaryFolder();
  await journalIn(folder).write(task, item, 'before');
  const anew = journalIn(folder, { anew: true });
  expect(await anew.read(task, item)).toBeNull();
  await anew.write(task, item, 'after');
  expect(await journalIn(folder).read(task, item)).toBe('after');
});
