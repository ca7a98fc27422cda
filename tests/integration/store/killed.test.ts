import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { clipWav } from '../../../src-main/store/clip-wav.ts';
import { openConversations } from '../../fixtures/conversations.ts';
import { recordedSpeech, tagOf } from '../../fixtures/store/recorded-speech.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const writer = fileURLToPath(new URL('../../fixtures/store/writer.ts', import.meta.url));
const lineSchema = z.union([
  z.object({ tag: z.number(), bytes: z.number() }),
  z.object({ answer: z.string(), text: z.string(), status: z.literal('complete') }),
]);

/** Kills often enough to meet every step of recording, storing, answering and sweeping. */
const kills = 20;
const tagsPerRun = 1000;

/** What a writer said was safe. */
class Acknowledged {
  /** Bytes of each recording, by its tag. */
  readonly sound = new Map<number, number>();
  /** Text of each finished answer, by its id. */
  readonly answers = new Map<string, string>();

  add(line: string): void {
    const said = lineSchema.parse(JSON.parse(line));
    if ('tag' in said) this.sound.set(said.tag, said.bytes);
    else this.answers.set(said.answer, said.text);
  }
}

/** Runs a writer until it has acknowledged `lines` things, kills it, and takes in what else it said by then. */
async function writeUntilKilled(folder: string, firstTag: number, lines: number, acknowledged: Acknowledged) {
  const child = spawn(process.execPath, [writer, folder, String(firstTag)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.add(line);
    seen += 1;
    if (seen === lines) child.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** All sound in turns and in the spool, by tag, without headers. */
async function soundOnDisk(folder: string): Promise<Map<number, Buffer>> {
  const { conversations, spool, store, audio } = await openConversations(folder);
  const found = new Map<number, Buffer>();
  for (const { id } of await spool.unsent()) {
    const pcm = Buffer.from(clipWav((await spool.read(id)).samples).subarray(44));
    found.set(tagOf(pcm), pcm);
  }
  for (const conversation of await conversations.list({ limit: 1000 })) {
    for (const turn of await store.turns(conversation.id)) {
      if (turn.audio === null) continue;
      const pcm = Buffer.from((await audio.read(turn.audio.sha256)).subarray(44));
      found.set(tagOf(pcm), pcm);
    }
  }
  await store.close();
  return found;
}

test(`${kills} kill -9 at random moments lose no finished turn and no acknowledged sound`, async () => {
  const folder = temporaryFolder();
  const acknowledged = new Acknowledged();
  for (let run = 0; run < kills; run += 1) {
    const lines = 1 + Math.floor(Math.random() * 25);
    await writeUntilKilled(folder, run * tagsPerRun, lines, acknowledged);

    const { conversations, store } = await openConversations(folder);
    for (const turn of await conversations.recover()) expect(turn.status).toBe('interrupted');
    for (const [id, text] of acknowledged.answers) {
      expect(await store.turn(id)).toMatchObject({ text, status: 'complete' });
    }
    await store.close();
  }

  const kept = await soundOnDisk(folder);
  expect(acknowledged.sound.size).toBeGreaterThanOrEqual(kills);
  for (const [tag, bytes] of acknowledged.sound) {
    const spoken = Buffer.from(recordedSpeech(tag).subarray(0, bytes));
    const found = kept.get(tag)?.subarray(0, bytes);
    expect(found?.equals(spoken), `recording ${tag}, ${bytes} bytes acknowledged`).toBe(true);
  }
  const database = new Sqlite(join(folder, 'parlance.db'));
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.prepare("SELECT count(*) FROM turns WHERE status = 'streaming'").pluck().get()).toBe(0);
  database.close();
}, 180_000);
