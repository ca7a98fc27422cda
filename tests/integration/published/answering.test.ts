import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answered, EngineKit, greedy, spoken, typed, writeClip } from '../../fixtures/engine/engine-kit.ts';
import type { FixtureFamily } from '../../fixtures/published/family-files.ts';
import { clip, writePublished } from '../../fixtures/published/published-kit.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

interface Written {
  readonly positions: number;
  readonly text: string;
}

/** What transformers.js writes with the same folders: see the fixtures' README. */
const expected = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/published/transformers-js.json'), 'utf8'),
) as Record<
  FixtureFamily,
  { clip: string; samples: number; spoken: Written; typed: Written; later: Written }
>;
const sampling = { ...greedy, maxTokens: 12 };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-published-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(Object.keys(expected) as FixtureFamily[])('a published %s', (family) => {
  const golden = expected[family];
  let bundle: string;
  let question: ReturnType<typeof spoken>;
  beforeAll(async () => {
    bundle = await writePublished(join(folder, family), family);
    question = spoken(writeClip(folder, `${family}.wav`, clip(golden.clip, golden.samples)));
  });
  const newKit = (cacheFolder = temporaryFolder()) =>
    new EngineKit(cacheFolder, { bundle, engine: 'speech-llm', sampling });

  it('answers speech and text as transformers.js does, to the letter', async () => {
    const kit = newKit();
    const heard = await kit.ask([question]);
    expect(heard.result).toMatchObject({ text: golden.spoken.text, engine: 'speech-llm' });
    expect(heard.result.usage.promptTokens).toBe(golden.spoken.positions);
    expect(heard.result.usage.audioTokens).toBeGreaterThan(0);
    expect(heard.pieces.join('')).toBe(golden.spoken.text);
    const read = await kit.ask([typed('What is this?')], { conversationId: 'c2' });
    expect(read.result.text).toBe(golden.typed.text);
    expect(read.result.usage.promptTokens).toBe(golden.typed.positions);
    await kit.engine.close();
  });

  it('hears an earlier turn again out of what it kept, in this process and the next', async () => {
    const cacheFolder = temporaryFolder();
    const kit = newKit(cacheFolder);
    const first = await kit.ask([question]);
    const turns = [question, answered('A sound.'), typed('Which one?')];
    const later = await kit.ask(turns);
    expect(later.result.text).toBe(golden.later.text);
    expect(later.result.usage.promptTokens).toBe(golden.later.positions);
    expect(later.result.usage.cachedTokens).toBeGreaterThan(first.result.usage.audioTokens);
    await kit.engine.close();

    const longer = [...turns, answered('That one.'), question];
    const next = newKit(cacheFolder);
    const again = await next.ask(longer);
    expect(again.result.usage.cachedTokens).toBeGreaterThanOrEqual(golden.later.positions - 1);
    await next.engine.close();

    const fresh = newKit();
    const computed = await fresh.ask(longer);
    expect(computed.result.usage.cachedTokens).toBe(0);
    expect(computed.result.text).toBe(again.result.text);
    await fresh.engine.close();
  });

  it('stops within one token and goes on from there', async () => {
    const kit = newKit();
    const stopped = await kit.ask([question], { stopAfter: 2 });
    expect(stopped.result.finish).toBe('cancelled');
    expect(golden.spoken.text.startsWith(stopped.result.text)).toBe(true);
    const whole = await kit.ask([question]);
    expect(whole.result.text).toBe(golden.spoken.text);
    expect(whole.result.usage.cachedTokens).toBe(golden.spoken.positions - 1);
    await kit.engine.close();
  });
});
