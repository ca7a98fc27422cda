import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { ModelError } from '../errors.ts';
import type { BundleManifest } from './manifest.ts';
import type { ProbeRequest } from './probe-request.ts';
import { readJson } from './sources.ts';

const audioMark = '{audio}';
/** Stands for a whole clip in a prompt of ids. */
export const audioId = -1;

/**
 * The request's prompt as token ids, -1 where a clip goes; null when it has none. What stands before and after a clip is
 * tokenised by itself, as in training. Throws `not-supported` when sound and prompt do not go together or an id is unknown.
 */
export async function promptIds(request: ProbeRequest, manifest: BundleManifest): Promise<number[] | null> {
  const { prompt, ids, bos = false } = request;
  if (prompt === undefined && ids === undefined) return null;
  const { llm } = manifest;
  if (llm === null) throw refused(`the bundle ${manifest.id} has no LLM`, 'Probe it without a prompt.');
  if (ids === undefined && llm.tokenizer === null)
    throw refused(`the bundle ${manifest.id} has no tokenizer`, 'Give the prompt as ids.');
  const found = ids ?? tokenise(prompt ?? '', join(request.folder, llm.tokenizer ?? ''));
  const unknown = found.find((id) => !Number.isInteger(id) || id < audioId || id >= llm.vocabulary);
  if (unknown !== undefined)
    throw refused(`${unknown} is no token of the LLM`, `Ids go from 0 to ${llm.vocabulary - 1}.`);
  if (bos && llm.bosToken === null) throw refused('this LLM has no first token', 'Leave --bos out.');
  const all = bos && llm.bosToken !== null ? [llm.bosToken, ...found] : [...found];
  checkSound(all, request.clips.length);
  return all;
}

function checkSound(ids: readonly number[], clips: number): void {
  const places = ids.filter((id) => id === audioId).length;
  if (clips > 0 && places === 0)
    throw refused('the prompt has no place for the sound', `Put ${audioMark} (or the id -1) where it goes.`);
  if (clips === 0 && places > 0)
    throw refused('the prompt has a place for sound, but there is none', 'Name a sound file too.');
  if (places !== clips)
    throw refused(
      `the prompt has places for ${places} clips, and ${clips} came`,
      'Give as many clips as places.',
    );
  if (ids.length === 0) throw refused('the prompt is empty', 'Give some text.');
}

function tokenise(prompt: string, tokenizerPath: string): number[] {
  const tokenizer = new Tokenizer(Object(readJson(tokenizerPath)), { clean_up_tokenization_spaces: false });
  const encode = (text: string) =>
    text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids;
  return prompt.split(audioMark).flatMap((text, i) => [...(i === 0 ? [] : [audioId]), ...encode(text)]);
}

function refused(fault: string, hint: string): ModelError {
  return new ModelError('not-supported', `This cannot be probed: ${fault}.`, hint);
}
