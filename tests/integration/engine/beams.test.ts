import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answered, EngineKit, greedy, typed } from '../../fixtures/engine/engine-kit.ts';
import { buildTinyBundle } from '../../fixtures/engine/tiny-bundle.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

let folder: string;
let bundle: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-beams-'));
  bundle = await buildTinyBundle(folder);
  setBeams(4);
});
afterAll(() => rmSync(folder, { recursive: true }));

function setBeams(beams: number): void {
  const path = join(bundle, 'bundle.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, generation: { ...manifest.generation, beams } }));
}

const question = [typed('hello')];
const sampling = { ...greedy, maxTokens: 16 };

describe('a bundle that answers by beam search', () => {
  it('streams exactly the text that it ends with, and the same again', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle, sampling });
    const first = await kit.ask(question);
    expect(first.pieces.join('')).toBe(first.result.text);
    expect(first.result).toMatchObject({ finish: 'length', usage: { completionTokens: 16 } });
    expect(first.result.timings.firstTokenMs).toBeGreaterThan(0);
    const again = await kit.ask(question, { conversationId: 'c2' });
    expect(again.result.text).toBe(first.result.text);
    await kit.engine.close();
  });

  it('keeps the prompt of the turn before, and answers a follow-up as if it had computed everything', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle, sampling });
    const { result } = await kit.ask(question);
    const turns = [...question, answered(result.text), typed('And then?')];
    const followUp = await kit.ask(turns);
    expect(followUp.result.usage.cachedTokens).toBe(result.usage.promptTokens);
    await kit.engine.close();

    const later = new EngineKit(temporaryFolder(), { bundle, sampling });
    await later.ask(question, { conversationId: 'c2' });
    const fresh = await later.ask(turns, { conversationId: 'c2' });
    expect(fresh.result.text).toBe(followUp.result.text);
    await later.engine.close();
  });

  it('stopped half-way gives the best that it had, and goes on from there', async () => {
    const kit = new EngineKit(temporaryFolder(), { bundle, sampling: { ...sampling, maxTokens: 200 } });
    const controller = new AbortController();
    const request = {
      ...({ conversationId: 'c1', engine: 'cascade', bundle, device: 'cpu' } as const),
      ...{ turns: [...question], sampling: { ...sampling, maxTokens: 200 } },
    };
    const pieces: string[] = [];
    const on = {
      token: (text: string) => pieces.push(text),
      phase: (phase: string) => phase === 'writing' && setImmediate(() => controller.abort()),
    };
    const stopped = await kit.engine.answer(request, on, controller.signal);
    expect(stopped.finish).toBe('cancelled');
    expect(pieces.join('')).toBe(stopped.text);
    expect(stopped.usage.completionTokens).toBeLessThan(200);
    const next = await kit.ask([...question, answered(stopped.text || 'no'), typed('more')], { sampling });
    expect(next.result.usage.cachedTokens).toBe(stopped.usage.promptTokens);
    await kit.engine.close();
  });

  it('draws by chance all the same where a temperature is set', async () => {
    const drawn = async (seed: number) => {
      const kit = new EngineKit(temporaryFolder(), { bundle });
      const { result } = await kit.ask(question, { sampling: { ...sampling, temperature: 1.5, seed } });
      await kit.engine.close();
      return result.text;
    };
    setBeams(1);
    const alone = await drawn(5);
    setBeams(4);
    expect(await drawn(5)).toBe(alone);
    expect(await drawn(6)).not.toBe(alone);
  });
});
