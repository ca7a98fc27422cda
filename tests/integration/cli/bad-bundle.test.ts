import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { type Ended, parlance, sample, testBundle } from './parlance.ts';

/** The default bundle with files of its own names: links where the disk allows, since it is large. */
function ownBundle(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(testBundle())) {
    const [from, to] = [join(testBundle(), name), join(folder, name)];
    try {
      linkSync(from, to);
    } catch {
      // Another disk, or a file system without links.
      cpSync(from, to, { recursive: true });
    }
  }
}

/** A home whose bundle was changed like this. */
function homeWith(change: (bundle: string) => void): string {
  const home = temporaryFolder();
  const bundle = join(home, 'models', 'parlance-mini');
  ownBundle(bundle);
  change(bundle);
  return home;
}

/** Writes a file anew, so that the one it was linked to stays as it is. */
function rewrite(path: string, bytes: Uint8Array | string): void {
  rmSync(path);
  writeFileSync(path, bytes);
}

function changeByte(bundle: string, name: string): void {
  const path = join(bundle, name);
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  rewrite(path, bytes);
}

function editManifest(bundle: string, edit: (manifest: Record<string, unknown>) => void): void {
  const path = join(bundle, 'bundle.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  edit(manifest);
  rewrite(path, JSON.stringify(manifest));
}

const question = sample('question-capital-of-france.wav');
const commands: string[][] = [
  ['ask', question, '--max-tokens', '2'],
  ['transcribe', question],
  ['models', 'verify'],
];

function expectFailure({ code, last }: Ended, expected: string): void {
  expect(last).toMatchObject({ type: 'error', code: expected });
  expect(code).toBe(1);
}

describe('a bundle', () => {
  it('with a part missing is refused, naming it', async () => {
    const home = homeWith((bundle) => rmSync(join(bundle, 'whisper-encoder.onnx')));
    for (const command of commands) {
      const ended = await parlance(home, [...command, '--json']);
      expectFailure(ended, 'bundle-incomplete');
      expect(ended.last.message).toContain('whisper-encoder.onnx');
    }
  });

  it('with a changed byte is refused, naming the file and both hashes', async () => {
    const home = homeWith((bundle) => changeByte(bundle, 'whisper-encoder.data'));
    for (const command of commands) {
      const ended = await parlance(home, [...command, '--json']);
      expectFailure(ended, 'bundle-corrupt');
      expect(ended.last.message).toContain('whisper-encoder.data');
      expect(ended.last.message?.match(/[0-9a-f]{64}/g)).toHaveLength(2);
    }
  });

  it('of a newer Parlance is refused as such', async () => {
    const home = homeWith((bundle) =>
      editManifest(bundle, (manifest) => {
        manifest.manifest = 99;
      }),
    );
    for (const command of commands) {
      expectFailure(await parlance(home, [...command, '--json']), 'bundle-newer');
    }
  });

  it('whose manifest is no manifest is refused, naming the field', async () => {
    const home = homeWith((bundle) =>
      editManifest(bundle, (manifest) => {
        manifest.preferredEngine = 'oracle';
      }),
    );
    for (const command of commands) {
      const ended = await parlance(home, [...command, '--json']);
      expectFailure(ended, 'bundle-invalid');
      expect(ended.last.message).toContain('preferredEngine');
    }
  });

  it('that reaches out of its folder is refused', async () => {
    const home = homeWith((bundle) =>
      editManifest(bundle, (manifest) => {
        const [first] = manifest.files as Array<{ path: string }>;
        if (first !== undefined) first.path = '../../parlance.db';
      }),
    );
    expectFailure(await parlance(home, ['ask', question, '--json']), 'bundle-invalid');
  });

  it('that is whole is said to be, and can be removed', async () => {
    const home = homeWith(() => undefined);
    const verified = await parlance(home, ['models', 'verify', '--json']);
    expect(verified.code).toBe(0);
    expect(verified.last).toMatchObject({ type: 'done', bundle: 'parlance-mini' });
    expect((await parlance(home, ['models', 'remove', 'parlance-mini'])).code).toBe(0);
    expect(readdirSync(join(home, 'models')).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it('keeps the question that it could not answer, for another try', async () => {
    const home = homeWith((bundle) => changeByte(bundle, 'whisper-encoder.data'));
    await parlance(home, ['ask', question]);
    const { events } = await parlance(home, ['history', 'list', '--json']);
    const { events: turns } = await parlance(home, ['history', 'show', String(events[0]?.id), '--json']);
    expect(turns.filter(({ type }) => type === 'turn')).toMatchObject([
      { role: 'user', kind: 'spoken' },
      { role: 'assistant', status: 'failed', failure: { code: 'bundle-corrupt' } },
    ]);
    const bundle = join(home, 'models', 'parlance-mini');
    const damaged = join(bundle, 'whisper-encoder.data');
    rmSync(damaged);
    copyFileSync(join(testBundle(), 'whisper-encoder.data'), damaged);
    const id = String(events[0]?.id);
    const again = await parlance(home, ['ask', '--conversation', id, question, '--max-tokens', '2']);
    expect(again.code).toBe(0);
  });
});
