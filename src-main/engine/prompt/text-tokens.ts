import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { ParlanceError } from '../../contract/errors.ts';

export interface TextPart {
  readonly text: string;
  /** Whether special tokens are read in it: it is a template's own text, and nobody wrote it. */
  readonly template: boolean;
}

/** A model's tokens, from its `tokenizer.json`. */
export class TextTokens {
  readonly #tokenizer: Tokenizer;
  readonly #special: ReadonlySet<number>;
  /** Matches any special token's text, the longest first; null when there are none. */
  readonly #specialText: string | null;

  constructor(tokenizerJson: object) {
    // Cleaning up spaces would make the text of a run differ from the joined text of its tokens.
    this.#tokenizer = new Tokenizer(tokenizerJson, { clean_up_tokenization_spaces: false });
    const added = [...this.#tokenizer.get_added_tokens_decoder()].filter(([, token]) => token.special);
    this.#special = new Set(added.map(([id]) => id));
    const texts = added.map(([, token]) => token.content).sort((a, b) => b.length - a.length);
    this.#specialText = texts.length === 0 ? null : texts.map(escapeForRegExp).join('|');
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
    return this.encode([{ text, template: true }]);
  }

  /** Tokens of what a person or a model wrote: a special token's name in it stays text. */
  encodePlain(text: string): number[] {
    return this.encode([{ text, template: false }]);
  }

  /**
   * Tokens of a stretch of text, as if it had been written in one go: many tokenizers mark the beginning of each text that they
   * are given. Special tokens are read in what is a template's own; elsewhere a name is cut after its first character, so that
   * nobody can end a turn or speak for another role by writing the name.
   */
  encode(parts: readonly TextPart[]): number[] {
    const whole = parts.map(({ text }) => text).join('');
    const ids: number[] = [];
    let from = 0;
    for (const cut of this.#cuts(whole, parts)) {
      ids.push(...this.#encode(whole.slice(from, cut)));
      from = cut;
    }
    return [...ids, ...this.#encode(whole.slice(from))];
  }

  #encode(text: string): number[] {
    return text === '' ? [] : this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /** Where names of special tokens begin, plus one, that are not the template's own from end to end. */
  #cuts(whole: string, parts: readonly TextPart[]): number[] {
    if (this.#specialText === null) return [];
    const names = new RegExp(this.#specialText, 'g');
    const cuts: number[] = [];
    for (let match = names.exec(whole); match !== null; match = names.exec(whole)) {
      if (isTemplate(parts, match.index, names.lastIndex)) continue;
      cuts.push(match.index + 1);
      // Behind the cut another name may begin inside this one.
      names.lastIndex = match.index + 1;
    }
    return cuts;
  }

  /** Text of tokens, special ones left out. */
  decode(tokens: readonly number[]): string {
    return tokens.length === 0 ? '' : this.#tokenizer.decode([...tokens], { skip_special_tokens: true });
  }
}

/** Whether all of [from, to) in the joined parts is a template's own. */
function isTemplate(parts: readonly TextPart[], from: number, to: number): boolean {
  let start = 0;
  for (const { text, template } of parts) {
    const end = start + text.length;
    if (!template && start < to && end > from) return false;
    start = end;
  }
  return true;
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
