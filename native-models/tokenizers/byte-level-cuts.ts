/** How a text is cut before byte-pair merges, and what else belongs to the tokenizers that cut so. */
export interface ByteLevelCut {
  readonly preTokenizers: readonly object[];
  /** Whether a piece that is a token already is not merged anew. */
  readonly ignoreMerges: boolean;
  /** Whether characters are composed first. */
  readonly compose: boolean;
}

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const signsAndSpaces = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const signsWithSlash = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const words = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
/** Words that are also cut where small letters turn into capitals. */
const casedWords = (ending: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${ending}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${ending}`;

function byteLevel(useRegex: boolean) {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

function isolated(regex: string) {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

function cutBy(regex: string, others: Partial<ByteLevelCut> = {}): ByteLevelCut {
  const preTokenizers = [isolated(regex), byteLevel(false)];
  return { preTokenizers, ignoreMerges: false, compose: false, ...others };
}

/** GPT-2's words: letters, digits or signs, each with the space before it. */
const gpt2: ByteLevelCut = { preTokenizers: [byteLevel(true)], ignoreMerges: false, compose: false };
/** The same, every number character by itself, ½ and ٣ included. */
const digitsApart: ByteLevelCut = { ...gpt2, preTokenizers: [isolated('\\p{N}'), byteLevel(true)] };
const llama3 = cutBy(`${contractions}|${words}|\\p{N}{1,3}|${signsAndSpaces}`, { ignoreMerges: true });
const qwen2 = cutBy(`${contractions}|${words}|\\p{N}|${signsAndSpaces}`, { compose: true });
const gpt4o = cutBy(`${casedWords(`${contractions}?`)}|\\p{N}{1,3}|${signsWithSlash}`);
const tekken = cutBy(`${casedWords('')}|\\p{N}|${signsWithSlash}`, { ignoreMerges: true });

/** By the names that llama.cpp gives them in `tokenizer.ggml.pre`. */
export const byteLevelCuts: ReadonlyMap<string, ByteLevelCut> = new Map([
  ...named(gpt2, ['gpt-2', 'phi-2', 'olmo', 'mpt']),
  ...named(digitsApart, ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell']),
  ...named(llama3, ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'smaug-bpe', 'dbrx']),
  ...named(qwen2, ['qwen2', 'deepseek-r1-qwen', 'stablelm2']),
  ...named(gpt4o, ['gpt-4o', 'llama4']),
  ...named(tekken, ['tekken']),
]);

function named(cut: ByteLevelCut, names: readonly string[]): [string, ByteLevelCut][] {
  return names.map((name) => [name, cut]);
}
