import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { ParlanceError } from '../../contract/errors.ts';

/** A model's tokens, from its `tokenizer.json`. */
export class TextTokens {
  readonly #tokenizer: Tokenizer;
  readonly #special: ReadonlySet<number>;
  /** Matches any special token's text, the longest first; null when there are none. */
  readonly #specialText: RegExp | null;

  constructor(tokenizerJson: object) {
    // Cleaning up spaces would make the text of a run differ from the joined text of its tokens.
    this.#tokenizer = new Tokenizer(tokenizerJson, { clean_up_tokenization_spaces: false });
    const added = [...this.#tokenizer.get_added_tokens_decoder()].filter(([, token]) => token.special);
    this.#special = new Set(added.map(([id]) => id));
    const texts = added.map(([, token]) => token.content).sort((a, b) => b.length - a.length);
    this.#specialText = texts.length === 0 ? null : new RegExp(texts.map(escapeForRegExp).join('|'), 'g');
  }

  /** Reads `tokenizer.json`. Throws bundle-corrupt. */
  static async read(path: string): Promise<TextTokens> {
    try {
      const json: unknown = JSON.parse(await readFile(path, 'utf8'));
      return new TextTokens(Object(json));
    } catch (cause) {
      throw new ParlanceError(
        'bundle-corrupt',
        `The tokenizer ${path} cannot be read.`,
        'Run `parlance models verify`, then pull the bundle again.',
        { cause },
      );
    }
  }

  isSpecial(token: number): boolean {
    return this.#special.has(token);
  }

  /** The text of a token by itself, special ones included; null for an id the model does not have. */
  textOf(token: number): string | null {
    return this.#tokenizer.id_to_token(token) ?? null;
  }

  /** Tokens of a template's own text: special tokens are read as such, none is added. */
  encodeTemplate(text: string): number[] {
    return text === '' ? [] : this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /**
   * Tokens of what a person or a model wrote. A special token's name in it stays text: it is cut after its first character,
   * so that nobody can end a turn or speak for another role by writing the name.
   */
  encodePlain(text: string): number[] {
    if (this.#specialText === null) return this.encodeTemplate(text);
    const ids: number[] = [];
    let from = 0;
    for (const match of text.matchAll(this.#specialText)) {
      ids.push(...this.encodeTemplate(text.slice(from, match.index + 1)));
      from = match.index + 1;
    }
    return [...ids, ...this.encodeTemplate(text.slice(from))];
  }

  /** Text of tokens, special ones left out. */
  decode(tokens: readonly number[]): string {
    return tokens.length === 0 ? '' : this.#tokenizer.decode([...tokens], { skip_special_tokens: true });
  }
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
