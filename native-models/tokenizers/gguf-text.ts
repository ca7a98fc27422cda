import { z } from 'zod';
import type { Gguf } from '../formats/gguf.ts';
import { tokenizerOf } from './gguf-tokenizer.ts';
import type { ModelText } from './model-text.ts';
import { pieceKind } from './sentencepiece-model.ts';

const id = z.number().int().nonnegative();

/** Tokenizer, marker tokens and chat template of a GGUF file. Throws `not-supported` or `file-invalid`. */
export function ggufText(gguf: Gguf): ModelText {
  return {
    tokenizer: hasTokenizer(gguf) ? tokenizerOf(gguf) : null,
    ...markerTokens(gguf),
    chatTemplate: gguf.metadata('tokenizer.chat_template', z.string().default('')),
  };
}

/** Ends of a turn by their text: files often name the end of a text alone. */
const turnEnds = ['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<end_of_turn>', '<|end|>'];

/** llama.cpp writes `none`, or `no_vocab` of old, for models of which only the numbers are wanted. */
function hasTokenizer(gguf: Gguf): boolean {
  const model = gguf.metadata('tokenizer.ggml.model', z.string().optional());
  return model !== undefined && model !== 'none' && model !== 'no_vocab';
}

/** Ids of the tokens that begin a text, and of those that end an answer: of the text, of a turn, of a message. */
function markerTokens(gguf: Gguf): { bosToken: number | null; eosTokens: number[] } {
  const read = (name: string) =>
    gguf.metadata(`tokenizer.ggml.${name}_token_id`, id.nullable().default(null));
  const named = ['eos', 'eot', 'eom'].flatMap((name) => read(name) ?? []);
  const tokens = gguf.metadata('tokenizer.ggml.tokens', z.array(z.string()).default([]));
  const types = gguf.metadata('tokenizer.ggml.token_type', z.array(z.number()).default([]));
  const known = turnEnds.flatMap((text) => {
    const token = tokens.indexOf(text);
    return types[token] === pieceKind.control ? [token] : [];
  });
  return { bosToken: read('bos'), eosTokens: [...new Set([...named, ...known])] };
}
