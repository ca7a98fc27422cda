import { type OutputTensor, writeSafetensors } from '../formats/safetensors-writer.ts';
import { isPublishedBundle } from '../published/open-published.ts';
import { probePublished } from '../published/probe-published.ts';
import { probeLlm } from './probe-llm.ts';
import { promptIds } from './probe-prompt.ts';
import type { ProbeRequest } from './probe-request.ts';
import { type Heard, hearClip } from './probe-sound.ts';
import { openBundle } from './verify.ts';

/**
 * Runs clips, a prompt or both through the very graphs that the engine uses, and writes down what comes out of each: float32
 * `features` [mel, frames], `encoder` [frames, d] (and `secondEncoder`), `ctc` [frames, labels] of an encoder with such a head,
 * `adaptor` [tokens, H], `logits` [positions, vocabulary] of every position, int64 `ids` (-1 at audio positions), and int64
 * `labels` of an adaptor with a head. With several clips each one's tensors are numbered: `features.0`, `features.1`… What the
 * bundle or the request lacks is left out. Gives the shapes. Throws `ModelError`.
 */
export async function probeBundle(request: ProbeRequest): Promise<Record<string, readonly number[]>> {
  if (isPublishedBundle(request.folder)) return probePublished(request);
  const manifest = await openBundle(request.folder);
  const heard: Heard[] = [];
  for (const clip of request.clips) heard.push(await hearClip(request, clip, manifest));
  const found: Record<string, OutputTensor> = {};
  heard.forEach((tensors, clip) => {
    const suffix = heard.length === 1 ? '' : `.${clip}`;
    for (const [name, tensor] of Object.entries(tensors)) found[`${name}${suffix}`] = tensor;
  });
  const prompt = await promptIds(request, manifest);
  if (prompt !== null) {
    const vectors = heard.map(({ adaptor }) => adaptor?.data ?? null);
    const { ids, logits } = await probeLlm(request, manifest, prompt, vectors);
    Object.assign(found, { ids, logits });
  }
  const wide = Object.entries(found).sort(
    ([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT,
  );
  await writeSafetensors(request.out, Object.fromEntries(wide));
  return Object.fromEntries(Object.entries(found).map(([name, { shape }]) => [name, shape]));
}
