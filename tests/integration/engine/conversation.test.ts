import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetConversation } from '../../../src-main/engine/caches/kv-snapshot.ts';
import { answered, EngineKit, greedy, typed } from '../../fixtures/engine/engine-kit.ts';
import { buildTinyBundle } from '../../fixtures/engine/tiny-bundle.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

// A language model of two layers with random weights: what it says means nothing, but it must always say the same.
let folder: string;
let bundle: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-tiny-'));
  bundle = await buildTinyBundle(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const first = [typed('hello')];

async function conversation(cacheFolder: string) {
  const kit = new EngineKit(cacheFolder, { bundle });
  const { result } = await kit.ask(first);
  return { kit, result, turns: [...first, answered(result.text), typed('And then?')] };
}

describe('a conversation', () => {
  it('streams exactly the text that it ends with', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const { result, pieces } = await kit.ask(first);
    expect(pieces.join('')).toBe(result.text);
    expect(result).toMatchObject({ engine: 'cascade', provider: 'cpu', heardAs: null, finish: 'length' });
    expect(result.usage).toMatchObject({
      cachedTokens: 0,
      audioTokens: 0,
      completionTokens: greedy.maxTokens,
    });
    expect(result.timings.firstTokenMs).toBeGreaterThanOrEqual(result.timings.prefillMs);
    await kit.engine.close();
  });

  it('computes only what a follow-up adds, and answers as if it had computed everything', async () => {
    const { kit, result, turns } = await conversation(temporaryFolder());
    const followUp = await kit.ask(turns);
    // The prompt and the answer but for its last token, which was never read, are there already.
    const kept = result.usage.promptTokens + result.usage.completionTokens - 1;
    expect(followUp.result.usage.cachedTokens).toBe(kept);
    await kit.engine.close();

    const fresh = new EngineKit(temporaryFolder(), { bundle });
    await fresh.ask(first);
    const again = await fresh.ask(turns);
    expect(again.result.text).toBe(followUp.result.text);
    await fresh.engine.close();
  });

  it('goes on in the next process where it was left', async () => {
    const cacheFolder = temporaryFolder();
    const { kit, result, turns } = await conversation(cacheFolder);
    const direct = await kit.ask(turns, { conversationId: 'c1' });
    const other = await conversation(temporaryFolder());
    await other.kit.engine.close();
    await kit.engine.close();

    const later = new EngineKit(cacheFolder, { bundle });
    const followUp = await later.ask(turns);
    expect(followUp.result.usage.cachedTokens).toBeGreaterThanOrEqual(
      result.usage.promptTokens + result.usage.completionTokens - 1,
    );
    expect(followUp.result.text).toBe(direct.result.text);
    await later.engine.close();
  });

  it('that takes another turn keeps what comes before it', async () => {
    const { kit, result } = await conversation(temporaryFolder());
    const edited = await kit.ask([typed('help')]);
    expect(edited.result.usage.cachedTokens).toBeGreaterThan(0);
    expect(edited.result.usage.cachedTokens).toBeLessThan(result.usage.promptTokens);
    const again = await kit.ask(first);
    expect(again.result.text).toBe(result.text);
    await kit.engine.close();
  });

  it('stops within one token, keeps what it had, and goes on from there', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const whole = await kit.ask(first);
    const stopped = await kit.ask(first, { stopAfter: 2, conversationId: 'c2' });
    expect(stopped.result.finish).toBe('cancelled');
    expect(stopped.pieces).toHaveLength(2);
    expect(whole.result.text.startsWith(stopped.result.text)).toBe(true);
    const next = await kit.ask([...first, answered(stopped.result.text), typed('more')], {
      conversationId: 'c2',
    });
    expect(next.result.usage.cachedTokens).toBeGreaterThanOrEqual(stopped.result.usage.promptTokens);
    await kit.engine.close();
  });

  it('that waits behind another answer can be stopped before it begins', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const controller = new AbortController();
    const running = kit.ask(first);
    const waiting = kit.engine.answer(
      { conversationId: 'c9', engine: 'cascade', bundle, device: 'cpu', turns: [...first], sampling: greedy },
      { token: () => expect.unreachable() },
      controller.signal,
    );
    controller.abort();
    expect((await waiting).finish).toBe('cancelled');
    expect((await running).result.finish).toBe('length');
    await kit.engine.close();
  });

  it('that is stopped while its prompt is read keeps what was read', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const controller = new AbortController();
    const long = [typed('word '.repeat(90))];
    const request = {
      conversationId: 'c3',
      engine: 'cascade',
      bundle,
      device: 'cpu',
      sampling: greedy,
    } as const;
    const stopped = kit.engine.answer(
      { ...request, turns: long },
      {
        token: () => expect.unreachable(),
        // The first stretch of the prompt is read behind this.
        phase: (phase) =>
          phase === 'thinking' && queueMicrotask(() => setImmediate(() => controller.abort())),
      },
      controller.signal,
    );
    expect(await stopped).toMatchObject({ finish: 'cancelled', text: '' });
    const again = await kit.ask(long, { conversationId: 'c3' });
    const fresh = await kit.ask(long, { conversationId: 'c4' });
    expect(again.result.text).toBe(fresh.result.text);
    await kit.engine.close();
  });

  it('gives the same answer for the same seed', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const sampling = { ...greedy, temperature: 1, seed: 11 };
    const [one, two, other] = [
      await kit.ask(first, { sampling }),
      await kit.ask(first, { sampling }),
      await kit.ask(first, { sampling: { ...sampling, seed: 12 } }),
    ];
    expect(two.result.text).toBe(one.result.text);
    expect(other.result.text).not.toBe(one.result.text);
    await kit.engine.close();
  });
});

describe('a spoken turn whose words are known', () => {
  const clip = { type: 'audio', role: 'user', path: '/no/such.wav', sha256: 'a'.repeat(64) } as const;

  it('is not heard again by the cascade: neither its sound nor Whisper is needed', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const history = [{ ...clip, transcript: 'hello' }, answered('he')];
    const { result } = await kit.ask([...history, typed('more')]);
    expect(result.usage.audioTokens).toBe(0);
    expect(result.text).toBe((await kit.ask([typed('hello'), answered('he'), typed('more')])).result.text);
    await kit.engine.close();
  });

  it('is missed when they are not: the error names the file', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    await expect(kit.ask([{ ...clip, transcript: null }])).rejects.toMatchObject({
      code: 'file-missing',
      message: expect.stringContaining('/no/such.wav'),
    });
    await kit.engine.close();
  });
});

describe('keys and values on disk', () => {
  it('that were damaged are deleted and computed again, and the log says so without words', async () => {
    const cacheFolder = temporaryFolder();
    const { kit, turns } = await conversation(cacheFolder);
    await kit.engine.close();
    const path = join(cacheFolder, 'kv', 'c1-cascade.kv');
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 255;
    writeFileSync(path, bytes);

    const later = new EngineKit(cacheFolder, { bundle });
    const followUp = await later.ask(turns);
    expect(followUp.result.usage.cachedTokens).toBe(0);
    expect(later.events).toMatchObject([{ event: 'kv-snapshot-unusable' }]);
    expect(JSON.stringify(later.events)).not.toContain('hello');
    await later.engine.close();
  });

  it('of a deleted conversation do not come back when the engine closes', async () => {
    const cacheFolder = temporaryFolder();
    const { kit } = await conversation(cacheFolder);
    await forgetConversation(cacheFolder, 'c1');
    await kit.engine.close();
    expect(readdirSync(join(cacheFolder, 'kv'))).toEqual(['c1.forgotten']);
  });

  it('take the place of memory when many conversations are open', async () => {
    const cacheFolder = temporaryFolder();
    const { createEngine } = await import('../../../src-main/engine/engine.ts');
    const engine = createEngine({ cacheFolder, memoryBytes: 1 });
    const ask = (conversationId: string) =>
      engine.answer(
        { conversationId, engine: 'cascade', bundle, device: 'cpu', turns: [...first], sampling: greedy },
        { token: () => undefined },
        new AbortController().signal,
      );
    await ask('a');
    await ask('b');
    expect(readdirSync(join(cacheFolder, 'kv'))).toEqual(['a-cascade.kv']);
    expect((await ask('a')).usage.cachedTokens).toBeGreaterThan(0);
    await engine.close();
  });
});

describe('a text that does not fit', () => {
  it('is refused with its length and what fits', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    await expect(kit.ask([typed('word '.repeat(400))])).rejects.toMatchObject({
      code: 'text-too-long',
      message: expect.stringMatching(/^The text is \d+ tokens long; \d+ fit/),
    });
    await expect(kit.ask([typed('  ')])).rejects.toMatchObject({ code: 'text-empty' });
    await kit.engine.close();
  });

  it('pushes the oldest turns out, never the system prompt or itself', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    const system = { type: 'text', role: 'system', text: 'Be short.' } as const;
    const history = Array.from({ length: 12 }, (_, i) => [
      typed(`question ${i} `.repeat(3)),
      answered('he '.repeat(9)),
    ]);
    const { result } = await kit.ask([system, ...history.flat(), typed('Last one?')]);
    expect(result.usage.promptTokens).toBeLessThanOrEqual(512 - greedy.maxTokens);
    expect(result.usage.promptTokens).toBeGreaterThan(200);
    await kit.engine.close();
  });
});

describe('a bundle', () => {
  it('that lacks a part for what is asked says which', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    await expect(kit.ask(first, { engine: 'speech-llm' })).rejects.toMatchObject({
      code: 'not-supported',
      message: 'The bundle tiny has no adaptor.',
    });
    expect((await kit.ask(first)).result.finish).toBe('length');
    await kit.engine.close();
  });

  it('without a tokenizer cannot be talked to, and says so', async () => {
    const path = join(bundle, 'bundle.json');
    const manifest = readFileSync(path, 'utf8');
    const { llm, ...rest } = JSON.parse(manifest);
    const kit = new EngineKit(temporaryFolder(), { bundle });
    writeFileSync(path, JSON.stringify({ ...rest, llm: { ...llm, tokenizer: null } }));
    await expect(kit.ask(first)).rejects.toMatchObject({
      code: 'not-supported',
      message: expect.stringContaining('no tokenizer'),
    });
    writeFileSync(path, manifest);
    expect((await kit.ask(first)).result.finish).toBe('length');
    await kit.engine.close();
  });

  it('that is not there, or asked for on no provider, is a clear error', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle });
    await expect(kit.ask(first, { bundle: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'bundle-incomplete',
    });
    await expect(kit.ask(first, { device: 'auto' })).rejects.toMatchObject({ code: 'invalid-request' });
    const elsewhere = process.platform === 'win32' ? 'coreml' : 'dml';
    await expect(kit.ask(first, { device: elsewhere })).rejects.toMatchObject({ code: 'device-unavailable' });
    expect((await kit.ask(first)).result.finish).toBe('length');
    await kit.engine.close();
  });
});
