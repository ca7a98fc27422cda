import type { TextTokens } from './text-tokens.ts';

const replacementCharacter = '�';

/**
 * Turns tokens into text as they come. A token may hold part of a character, or change the spacing of the one before, so the
 * text of a short run is compared with and without the new token. What was given out is never taken back: all pieces joined
 * are the text.
 */
export class TokenText {
  readonly #tokens: TextTokens;
  /** The last tokens given out, then those that wait for the rest of their character. */
  #run: number[] = [];
  #given = 0;
  #text = '';

  constructor(tokens: TextTokens) {
    this.#tokens = tokens;
  }

  /** Everything given out so far. */
  get text(): string {
    return this.#text;
  }

  /** The text that became whole with this token; often empty. */
  push(token: number): string {
    if (this.#tokens.isSpecial(token)) return '';
    this.#run.push(token);
    const before = this.#tokens.decode(this.#run.slice(0, this.#given));
    const after = this.#tokens.decode(this.#run);
    // Four tokens always hold a whole character: UTF-8 has at most four bytes. Beyond that the mark is what the model wrote.
    const waiting = this.#run.length - this.#given;
    if (after.endsWith(replacementCharacter) && waiting < 4) return '';
    const piece = after.slice(before.length);
    this.#run = this.#run.slice(this.#given);
    this.#given = this.#run.length;
    this.#text += piece;
    return piece;
  }
}
