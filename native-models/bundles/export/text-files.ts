import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import { floatText } from '../../formats/number-text.ts';
import type { ModelText } from '../../tokenizers/model-text.ts';
import type { BundleManifest } from '../manifest.ts';

/** Where the sound goes in a prompt, as Ultravox's processor looks for it. */
export const audioPlaceholder = '<|audio|>';

export interface TextFiles {
  /** tokenizer.json, the placeholder among its tokens. */
  readonly tokenizer: object;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>>;
  /** chat_template.jinja; empty where the model has none. */
  readonly chatTemplate: string;
  readonly audioToken: number;
  readonly padToken: number;
}

const id = z.number().int().nonnegative();
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id, content: z.string() })).default([]),
  model: z.looseObject({
    vocab: z.union([z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});
type Tokenizer = z.infer<typeof tokenizerSchema>;

/**
 * What goes beside the weights so that text becomes the same tokens. The tokenizer is loaded as it stands in tokenizer.json:
 * classes of a family, such as LLaMA's, would make parts of it anew. Throws `not-supported` without a tokenizer, or without a
 * token that ends an answer, which Ultravox's processor fills the sound's places with.
 */
export function textFiles(
  { tokenizer: given, bosToken, eosTokens }: ModelText,
  { prompt, generation, llm }: BundleManifest,
): TextFiles {
  const read = tokenizerSchema.safeParse(given);
  const [endToken] = eosTokens;
  if (!read.success || endToken === undefined)
    throw new ModelError(
      'not-supported',
      `The language model has no ${read.success ? 'token that ends an answer' : 'tokenizer'}, which Ultravox's processor needs.`,
      'Put tokenizer.json, tokenizer_config.json and generation_config.json beside its weights, from its own repository.',
    );
  const { tokenizer, audioToken } = withAudioToken(read.data);
  const text = (token: number) => contentOf(read.data, token);
  return {
    tokenizer,
    audioToken,
    padToken: endToken,
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...(bosToken !== null && { bos_token: text(bosToken) }),
      eos_token: text(endToken),
      pad_token: text(endToken),
      padding_side: 'left',
      clean_up_tokenization_spaces: false,
      model_max_length: llm?.contextLength,
    },
    generationConfig: {
      ...(bosToken !== null && { bos_token_id: bosToken }),
      eos_token_id: [...eosTokens],
      pad_token_id: endToken,
      max_new_tokens: generation.maxTokens,
      do_sample: generation.temperature > 0,
      ...(generation.temperature > 0 && {
        temperature: floatText(generation.temperature),
        top_p: floatText(generation.topP),
      }),
      repetition_penalty: floatText(generation.repetitionPenalty),
      num_beams: generation.beams,
    },
    chatTemplate: prompt.chatTemplate,
  };
}

/** Takes the next free number, as the library of tokenizers would: it numbers added tokens one after another. */
function withAudioToken(tokenizer: Tokenizer): { tokenizer: object; audioToken: number } {
  const there = tokenizer.added_tokens.find(({ content }) => content === audioPlaceholder);
  if (there !== undefined) return { tokenizer, audioToken: there.id };
  const { vocab } = tokenizer.model;
  const ids = Array.isArray(vocab) ? vocab.map((_, place) => place) : Object.values(vocab);
  const audioToken = tokenizer.added_tokens.reduce((next, token) => Math.max(next, token.id + 1), ids.length);
  if (ids.includes(audioToken))
    throw new ModelError(
      'not-supported',
      `The tokenizer's ${ids.length} tokens are not numbered one after another: no number is free for ${audioPlaceholder}.`,
      'Use a tokenizer that has that token, or one without gaps.',
    );
  const added = {
    ...{ id: audioToken, content: audioPlaceholder, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  };
  return { tokenizer: { ...tokenizer, added_tokens: [...tokenizer.added_tokens, added] }, audioToken };
}

function contentOf({ added_tokens, model: { vocab } }: Tokenizer, token: number): string {
  const added = added_tokens.find((one) => one.id === token)?.content;
  const found = Array.isArray(vocab)
    ? vocab[token]?.[0]
    : Object.entries(vocab).find(([, one]) => one === token)?.[0];
  const content = added ?? found;
  if (content !== undefined) return content;
  throw new ModelError(
    'file-invalid',
    `The tokenizer has no token ${token}, which the language model's settings name.`,
    "Take its files from the model's own repository.",
  );
}
