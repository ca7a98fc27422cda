import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExportFormat } from '../../../src-main/conversation/export-archive.ts';
import { clipWav } from '../../../src-main/store/clip-wav.ts';
import { openConversations } from '../../fixtures/conversations.ts';
import { zipBytes } from '../../fixtures/formats/zip-bytes.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { tone } from '../../fixtures/voice/tones.ts';

type Open = Awaited<ReturnType<typeof openConversations>>;

/** A conversation with two branches and a sound, which shows the older branch; and a pinned one. */
async function withBranches(open: Open): Promise<string[]> {
  const { conversations } = open;
  const first = await conversations.askText({ conversationId: null, text: 'one "quoted" 天気' });
  await conversations.finished(first.answer.id);
  const conversationId = first.conversation.id;
  const spoken = await conversations.askAudio({ conversationId, samples: tone(440, 1) });
  await conversations.finished(spoken.answer.id);
  const edited = await conversations.askText({ conversationId, text: 'two', replaces: spoken.question.id });
  await conversations.finished(edited.answer.id);
  const again = await conversations.retry({ answerId: edited.answer.id, engine: 'other' });
  await conversations.finished(again.answer.id);
  await conversations.choose(spoken.answer.id);
  const other = await conversations.askText({ conversationId: null, text: 'another' });
  await conversations.finished(other.answer.id);
  await conversations.pin(other.conversation.id, true);
  return [conversationId, other.conversation.id];
}

async function exported(open: Open, folder: string, format: ExportFormat, ids: string[] | null = null) {
  const path = join(folder, `export.${format}`);
  const pieces: Uint8Array[] = [];
  for await (const piece of open.conversations.exportArchive(ids, format)) pieces.push(piece);
  writeFileSync(path, Buffer.concat(pieces));
  return path;
}

test('a ZIP brings everything to another machine: branches, which of them is shown, sound, times', async () => {
  const folder = temporaryFolder();
  const here = await openConversations(folder);
  const ids = await withBranches(here);
  const path = await exported(here, folder, 'zip');
  const there = await openConversations(temporaryFolder());
  const imported = await there.conversations.importArchive(path);
  expect(imported.map(({ id, outcome }) => [id, outcome]).sort()).toEqual(
    ids.map((id) => [id, 'added']).sort(),
  );
  for (const id of ids) {
    expect(await there.conversations.open(id)).toEqual(await here.conversations.open(id));
    expect(await there.store.turnTree(id)).toEqual(await here.store.turnTree(id));
    for (const { audio } of await there.store.turns(id)) {
      if (audio === null) continue;
      expect(await there.audio.read(audio.sha256)).toEqual(await here.audio.read(audio.sha256));
    }
  }
  expect((await there.conversations.search({ words: '天気', limit: 5 })).hits.length).toBe(1);
  // Once more changes nothing; nor does it at home.
  for (const open of [here, there]) {
    expect((await open.conversations.importArchive(path)).map(({ outcome }) => outcome)).toEqual([
      'skipped',
      'skipped',
    ]);
  }
  // What was changed since is not overwritten.
  await there.conversations.rename(ids[0] ?? '', 'Renamed');
  const copied = (await there.conversations.importArchive(path)).filter(
    ({ outcome }) => outcome === 'copied',
  );
  expect(copied.length).toBe(1);
  expect((await there.conversations.open(ids[0] ?? '')).conversation.title).toBe('Renamed');
  const copy = await there.conversations.open(copied[0]?.id ?? '');
  expect(copy.turns.map(({ text }) => text)).toEqual(
    (await here.store.turns(ids[0] ?? '')).map(({ text }) => text),
  );
  await here.store.close();
  await there.store.close();
});

test('JSON brings the same without the sound, and at home with it', async () => {
  const folder = temporaryFolder();
  const here = await openConversations(folder);
  const [id = ''] = await withBranches(here);
  const path = await exported(here, folder, 'json', [id]);
  const there = await openConversations(temporaryFolder());
  for (const outcome of ['added', 'skipped']) {
    expect(await there.conversations.importArchive(path)).toEqual([{ id, outcome }]);
  }
  const turns = await here.store.turns(id);
  expect(await there.store.turns(id)).toEqual(turns.map((turn) => ({ ...turn, audio: null })));
  const next = await there.conversations.askText({ conversationId: id, text: 'go on' });
  expect((await there.conversations.finished(next.answer.id)).status).toBe('complete');
  await here.conversations.remove(id);
  expect(await here.conversations.importArchive(path)).toEqual([{ id, outcome: 'added' }]);
  await here.store.close();
  await there.store.close();
});

test('what was deleted and is imported again comes back beside what can still be restored', async () => {
  const folder = temporaryFolder();
  const open = await openConversations(folder);
  const [id = ''] = await withBranches(open);
  const path = await exported(open, folder, 'zip', [id]);
  await open.conversations.trash.put([id]);
  expect(await open.conversations.importArchive(path)).toMatchObject([{ outcome: 'copied' }]);
  await open.conversations.trash.restore([id]);
  expect((await open.conversations.list({ limit: 9 })).length).toBe(3);
  await open.store.close();
});

describe('of a file that is not as an export is, nothing is taken in', () => {
  const turn = {
    id: 't1',
    parentId: null,
    role: 'user',
    kind: 'typed',
    text: 'x',
    heardAs: null,
    audio: null,
    status: 'complete',
    engine: null,
    bundle: null,
    provider: null,
    usage: null,
    timings: null,
    failure: null,
    createdAt: 1,
    chosen: true,
  };
  const conversation = { id: 'c1', title: 'T', pinned: false, createdAt: 1, updatedAt: 1, turns: [turn] };
  const listOf = (...conversations: unknown[]) =>
    Buffer.from(JSON.stringify({ format: 'parlance-conversations', version: 1, conversations }));
  const wav = Buffer.from(clipWav(tone(440, 1)));
  const sha256 = createHash('sha256').update(wav).digest('hex');
  const spoken = { ...turn, kind: 'spoken', audio: { sha256, seconds: 1, bars: [1] } };
  const withTurns = (...turns: unknown[]) => listOf({ ...conversation, turns });
  const zipOf = (...entries: Array<[string, Uint8Array]>) => zipBytes(entries);
  const list: [string, Uint8Array] = ['conversations.json', withTurns(spoken)];
  const louder = Buffer.from(wav);
  louder.writeUInt32LE(8000, 24);
  const oddHash = createHash('sha256').update(louder).digest('hex');

  test.each<[string, Uint8Array]>([
    ['empty', Buffer.of()],
    ['no JSON', Buffer.from('{"format":')],
    ['another JSON', Buffer.from('{"format":"other","version":1,"conversations":[]}')],
    ['a newer version', Buffer.from('{"format":"parlance-conversations","version":2,"conversations":[]}')],
    ['an id that is a path', listOf({ ...conversation, id: '../../x' })],
    ['a second conversation that is wrong', listOf(conversation, { ...conversation, id: 'c2', title: 7 })],
    ['a turn twice', withTurns(turn, turn)],
    ['a turn that follows itself', withTurns({ ...turn, parentId: 't1' })],
    ['a turn that follows one of nowhere', withTurns(turn, { ...turn, id: 't2', parentId: 't9' })],
    ['a question that follows a question', withTurns(turn, { ...turn, id: 't2', parentId: 't1' })],
    ['an answer that is being written', withTurns({ ...turn, status: 'streaming' })],
    ['a hash that is a path', withTurns({ ...spoken, audio: { ...spoken.audio, sha256: '../x' } })],
    ['a ZIP without a list', zipOf([`audio/${sha256}.wav`, wav])],
    ['a ZIP that is cut off', zipOf(list, [`audio/${sha256}.wav`, wav]).subarray(0, 2000)],
    ['a ZIP with a way out', zipOf(list, ['../../evil.wav', wav])],
    ['a ZIP with an absolute path', zipOf(list, ['/etc/passwd', wav])],
    ['a ZIP with something else', zipOf(list, ['audio/readme.txt', wav])],
    ['a list twice', zipOf(list, list)],
    ['sound that is not what its name says', zipOf(list, [`audio/${sha256}.wav`, louder])],
    [
      'sound of another rate',
      zipOf(
        ['conversations.json', withTurns({ ...spoken, audio: { ...spoken.audio, sha256: oddHash } })],
        [`audio/${oddHash}.wav`, louder],
      ),
    ],
    [
      'good sound before bad sound',
      zipOf(
        [
          'conversations.json',
          listOf(
            { ...conversation, turns: [spoken] },
            {
              ...conversation,
              id: 'c2',
              turns: [{ ...spoken, id: 't2', audio: { ...spoken.audio, sha256: oddHash } }],
            },
          ),
        ],
        [`audio/${sha256}.wav`, wav],
        [`audio/${oddHash}.wav`, wav],
      ),
    ],
  ])('%s', async (_what, bytes) => {
    const folder = temporaryFolder();
    const { conversations, store, audio } = await openConversations(folder);
    const path = join(folder, 'hostile');
    writeFileSync(path, bytes);
    await expect(conversations.importArchive(path)).rejects.toMatchObject({ code: 'file-unreadable' });
    expect(await conversations.list({ limit: 9 })).toEqual([]);
    await expect(audio.path(sha256)).rejects.toMatchObject({ code: 'file-missing' });
    expect(existsSync(join(folder, '..', 'evil.wav'))).toBe(false);
    await store.close();
  });

  test('what a file says of the length and the loudness of sound is measured again', async () => {
    const folder = temporaryFolder();
    const { conversations, store } = await openConversations(folder);
    const path = join(folder, 'boastful');
    const lying = { ...spoken, audio: { sha256, seconds: 9999, bars: [] } };
    writeFileSync(path, zipOf(['conversations.json', withTurns(lying)], [`audio/${sha256}.wav`, wav]));
    await conversations.importArchive(path);
    const [stored] = await store.turns('c1');
    expect(stored?.audio?.seconds).toBe(1);
    expect(stored?.audio?.bars.length).toBe(7);
    await store.close();
  });
});
