import { expect, test } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { parlance } from './parlance.ts';

const scoreSchema = z.object({ turns: z.number(), missed: z.number(), false: z.number() });
const rowSchema = z.object({ level: z.string(), silero: scoreSchema, loudness: scoreSchema });

test('bench vad prints a row a level for both ways, and what it measured with', {
  timeout: 600_000,
}, async () => {
  const { code, events, last } = await parlance(temporaryFolder(), [
    ...['bench', 'vad', '--json'],
    ...['--clips', '1', '--levels', '10'],
  ]);
  expect(code).toBe(0);
  const rows = events.filter(({ type }) => type === 'row').map((event) => rowSchema.parse(event));
  expect(rows.map(({ level }) => level).slice(0, 3)).toEqual(['clean', '10 dB', 'no speech']);
  expect(rows[0]?.silero).toMatchObject({ turns: 1, missed: 0, false: 0 });
  expect(rows[1]?.silero.turns).toBe(6);
  expect(rows[1]?.loudness.turns).toBe(6);
  expect(events.filter(({ type }) => type === 'without-speech')).toHaveLength(7);
  expect(last).toMatchObject({ type: 'done', pauseMs: 700, sensitivity: 0.5, scenes: 14 });
});

test.each([
  ['--pause', '200', 'at least 300'],
  ['--sensitivity', '2', 'at most 1'],
  ['--levels', 'loud', 'must be a number'],
])('bench vad refuses %s %s', async (option, value, told) => {
  const { code, stderr } = await parlance(temporaryFolder(), ['bench', 'vad', option, value]);
  expect(code).toBe(2);
  expect(stderr).toContain(told);
});
