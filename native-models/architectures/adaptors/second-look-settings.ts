import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { TensorSource } from '../../formats/tensor-source.ts';
import { shapeMismatch } from '../../graph/shape.ts';
import { checked } from '../encoders/settings.ts';
import { whisperSizes } from '../encoders/whisper-sizes.ts';
import type { AdaptorRequest } from './adaptor.ts';
import { blockFields, stackedFields } from './conv-blocks.ts';
import { adaptorSettings, expectEncoderWidth } from './fit.ts';

const token = z.number().int().nonnegative();
const tokens = z.array(token).min(1).max(1e6);

/** The adaptor's configuration file, as its training wrote it. */
const configSchema = z.object({
  adaptor: z.object({
    ...blockFields,
    /** `dl`: width of Whisper's token embeddings, which are the draft's classes. */
    draft: z.object({ ...stackedFields, dl: z.number().int().positive() }),
    /** How often what was said last is looked at, by the same weights. */
    looks: z.number().int().min(1).max(4),
    /** Blocks over what is read, before those over the frames. */
    reading_blocks: z.number().int().min(0).max(64),
    /** Of the LoRA on Whisper's decoder. */
    decoder_rank: z.number().int().min(1).max(1024),
    decoder_alpha: z.number().positive().max(65536),
    longest_draft: z.number().int().positive(),
    /** Whisper's tokens before a transcript. */
    prefix: tokens,
    /** Whisper's token of each class. */
    whisper: tokens,
    /** Its token of the same piece as a sentence begins with it; the token itself where there is none. */
    whisper_capital: tokens,
    /** The classes that the draft has, in order: places in `whisper`. */
    drafted: tokens,
  }),
  mode: z.literal('compress'),
  /** The LLM's token of each class. */
  vocab: tokens,
});

export type SecondLookSettings = z.infer<typeof configSchema>;

/** What a second look is made with, each part's sizes held against the others'. */
export interface SecondLookParts {
  readonly settings: SecondLookSettings;
  /** Under CTranslate2's names, decoder included. */
  readonly whisper: TensorSource;
  readonly llm: NonNullable<AdaptorRequest['llm']>;
}

/** Throws `file-invalid`, naming the field of the configuration, `not-supported` when a part is missing, and `shape-mismatch`. */
export function secondLookParts(request: AdaptorRequest): SecondLookParts {
  const { config, options, encoder, secondEncoder, llm, whisper } = request;
  if (secondEncoder !== null)
    throw unsupported('hears one encoder', 'Leave `secondEncoder` out of the recipe.');
  if (llm === null) throw unsupported('gives embeddings of an LLM', 'Add the LLM to the recipe.');
  if (whisper === undefined || whisper === null)
    throw unsupported(
      "reads its draft with the decoder of the Whisper that the encoder is a part of, and the encoder's weights hold none",
      'Name a whole Whisper as `encoder.from`: a CTranslate2 folder, or one of transformers.',
    );
  adaptorSettings({}, { config: {}, options });
  const settings = checked(configSchema, config, "The adaptor's configuration");
  expectEncoderWidth(settings.adaptor.draft.din, encoder.hidden);
  checkTokens(settings, whisper, llm);
  return { settings, whisper, llm };
}

function checkTokens(
  { adaptor, vocab }: SecondLookSettings,
  source: TensorSource,
  { embeddings }: NonNullable<AdaptorRequest['llm']>,
): void {
  const { draft, whisper, whisper_capital: capital, drafted, prefix, longest_draft: longest } = adaptor;
  const { hidden, vocabulary, maxTokens } = whisperSizes(source);
  if (draft.d !== hidden || draft.dl !== hidden)
    throw shapeMismatch(
      `The adaptor is ${draft.d} wide and drafts tokens of ${draft.dl}, Whisper's decoder is ${hidden} wide`,
    );
  if (whisper.length !== vocab.length || capital.length !== vocab.length)
    throw shapeMismatch(
      `The adaptor's configuration lists ${vocab.length} tokens of the LLM, ${whisper.length} of Whisper and ${capital.length} with capitals`,
    );
  if (prefix.length + longest > maxTokens)
    throw shapeMismatch(
      `A draft of ${longest} tokens behind ${prefix.length} is longer than what Whisper reads, ${maxTokens}`,
    );
  const within = (listed: readonly number[], whose: string, count: number) => {
    const outside = listed.find((number) => number >= count);
    if (outside !== undefined)
      throw shapeMismatch(
        `The adaptor's configuration lists ${whose} ${outside}, and there are only ${count}`,
      );
  };
  within([...whisper, ...capital, ...prefix], "Whisper's token", vocabulary);
  within(drafted, 'the class', whisper.length);
  within(vocab, "the LLM's token", embeddings.shape[0] ?? 0);
}

function unsupported(fault: string, hint: string): ModelError {
  return new ModelError('not-supported', `The adaptor second-look ${fault}.`, hint);
}
