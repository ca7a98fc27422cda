import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSpool } from '../../../src-main/voice/spool.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { pcm16, tone } from '../../fixtures/voice/tones.ts';

const half = pcm16(tone(440, 0.5));

/** The name of a run that is over. */
async function deadOwner(): Promise<{ pid: number; started: string }> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return { pid: child.pid ?? 1, started: 'long ago' };
}

test('what was appended is on disk when append resolves, in the order of the calls', async () => {
  const folder = temporaryFolder();
  const spool = await openSpool({ folder });
  const { id } = await spool.start('conversation-1');
  const pieces = Array.from({ length: 8 }, (_, place) => new Uint8Array(4000).fill(place));
  const replies = await Promise.all(pieces.map((piece) => spool.append(id, piece)));
  expect(replies.at(-1)?.seconds).toBe(1);
  expect(readFileSync(join(folder, 'spool', `${id}.pcm`))).toEqual(Buffer.concat(pieces));
});

test('a recording is read back as it was spoken', async () => {
  const spool = await openSpool({ folder: temporaryFolder() });
  const { id } = await spool.start(null);
  await spool.append(id, half);
  const { recording, samples } = await spool.read(id);
  expect(recording).toMatchObject({ id, conversationId: null, seconds: 0.5 });
  expect(samples[9]).toBeCloseTo(tone(440, 0.5)[9] ?? 0, 3);
});

test('half a sample is refused and changes nothing', async () => {
  const spool = await openSpool({ folder: temporaryFolder() });
  const { id } = await spool.start(null);
  await expect(spool.append(id, new Uint8Array(3))).rejects.toMatchObject({ code: 'invalid-request' });
  expect((await spool.append(id, half)).seconds).toBe(0.5);
});

test('recordings of a process that is alive are not unsent; those of a dead one are', async () => {
  const folder = temporaryFolder();
  const spool = await openSpool({ folder });
  const { id } = await spool.start('conversation-1');
  await spool.append(id, half);
  expect(await (await openSpool({ folder })).unsent()).toEqual([]);

  const side = join(folder, 'spool', `${id}.json`);
  writeFileSync(
    side,
    JSON.stringify({ ...JSON.parse(readFileSync(side, 'utf8')), owner: await deadOwner() }),
  );
  const later = await openSpool({ folder });
  expect(await later.unsent()).toMatchObject([{ id, conversationId: 'conversation-1', seconds: 0.5 }]);
  await later.discard(id);
  expect(readdirSync(join(folder, 'spool'))).toEqual([]);
});

test('sound beside a broken side file, or without one, is offered all the same and never removed', async () => {
  const folder = temporaryFolder();
  const spool = await openSpool({ folder });
  writeFileSync(join(folder, 'spool', 'torn.json'), '{"id":"to');
  writeFileSync(join(folder, 'spool', 'torn.pcm'), half);
  writeFileSync(join(folder, 'spool', 'alone.pcm'), half);
  writeFileSync(join(folder, 'spool', 'silent.json'), '{}');
  expect((await spool.unsent()).map(({ id }) => id).sort()).toEqual(['alone', 'torn']);
  expect((await spool.read('torn')).samples.length).toBe(8000);
  expect(readdirSync(join(folder, 'spool')).length).toBe(4);
});

test('an unknown recording, a sent one and a path are all missing', async () => {
  const folder = temporaryFolder();
  const spool = await openSpool({ folder });
  const { id } = await spool.start(null);
  await spool.discard(id);
  writeFileSync(join(folder, 'outside.pcm'), half);
  await expect(spool.append(id, half)).rejects.toMatchObject({ code: 'recording-missing' });
  await expect(spool.read(id)).rejects.toMatchObject({ code: 'recording-missing' });
  await expect(spool.read('../outside')).rejects.toMatchObject({ code: 'recording-missing' });
  await expect(spool.discard('../outside')).rejects.toMatchObject({ code: 'recording-missing' });
});
