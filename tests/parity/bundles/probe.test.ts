import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeBundle } from '../../../native-models/bundles/probe.ts';
import type { ProbeRequest } from '../../../native-models/bundles/probe-request.ts';
import { cosineSimilarity } from '../../../native-models/cosine-similarity.ts';
import { Safetensors } from '../../../native-models/formats/safetensors.ts';
import { testBundle } from '../whisper/bundle.ts';
import { clip, golden, goldenTensors } from '../whisper/golden.ts';

const expected = goldenTensors();
let folder: string;
let out: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-probe-'));
  out = join(folder, 'out.safetensors');
});
afterAll(() => rmSync(folder, { recursive: true }));

const probe = (request: Partial<ProbeRequest>) =>
  probeBundle({ folder: testBundle(), clips: [], out, ...request });
const integers = (file: Safetensors, name: string) =>
  [...new BigInt64Array(file.tensor(name).read().buffer)].map(Number);

describe('a probe of the default bundle', () => {
  it('of a spoken question gives every stage, and logits like those of the original LLM with its LoRA', async () => {
    const shapes = await probe({ clips: [clip()], prompt: golden.prompt });
    using file = new Safetensors(out);
    const ids = integers(file, 'ids');
    expect(ids).toEqual(integers(expected, 'answerIds'));
    expect(shapes).toMatchObject({
      features: [80, golden.frames],
      encoder: [golden.frames / 2, 512],
      adaptor: [ids.filter((id) => id === -1).length, 576],
      logits: [ids.length, 49152],
    });
    for (const [name, shape] of Object.entries(shapes)) expect(file.tensor(name).shape).toEqual(shape);
    const logits = file.tensor('logits').float32();
    const sampled = logits.filter((_, i) => (i % 49152) % 64 === 0);
    expect(cosineSimilarity(sampled, expected.tensor('answerLogits').float32())).toBeGreaterThan(0.999);
  });

  it('pads to 30 s when told to', async () => {
    const shapes = await probe({ clips: [clip()], pad: '30' });
    expect(shapes).toMatchObject({ features: [80, 3000], encoder: [1500, 512] });
    expect(shapes.logits).toBeUndefined();
  });

  it('of text reads special tokens as such, and puts the first token in front only when asked', async () => {
    await probe({ prompt: '<|im_end|>Hello' });
    using plain = new Safetensors(out);
    const ids = integers(plain, 'ids');
    expect(ids[0]).toBe(2);
    expect(plain.names().toSorted()).toEqual(['ids', 'logits']);
    await probe({ prompt: '<|im_end|>Hello', bos: true });
    using first = new Safetensors(out);
    expect(integers(first, 'ids')).toEqual([1, ...ids]);
  });

  it('of ids gives what the same text gives; without the LoRA it differs', async () => {
    const last = async (request: Partial<ProbeRequest>) => {
      await probe(request);
      using file = new Safetensors(out);
      return file.tensor('logits').float32().slice(-49152);
    };
    const text = await last({ prompt: 'Hello' });
    expect(await last({ ids: [19556] })).toEqual(text);
    expect(await last({ prompt: 'Hello', loraScale: 2 })).toEqual(text);
    expect(await last({ prompt: 'Hello', loraScale: 0 })).not.toEqual(text);
  });

  it('is refused when prompt and sound do not go together, or nothing at all is heard', async () => {
    for (const [request, fault] of [
      [{ clips: [clip()], prompt: 'no place' }, /no place for the sound/],
      [{ prompt: 'a {audio} place' }, /there is none/],
      [{ clips: [clip()], prompt: '{audio}{audio}' }, /places for 2 clips, and 1 came/],
      [{ prompt: '' }, /empty/],
      [{ ids: [49152] }, /49152 is no token/],
      [{ ids: [1.5] }, /1.5 is no token/],
      [{ clips: [new Float32Array(16000)], prompt: '{audio}' }, /0 positions/],
    ] as const)
      await expect(probe({ ...request })).rejects.toThrow(fault);
  });
});
