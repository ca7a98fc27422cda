interface Tail {
  offset: number;
  text: string;
}

/**
 * The texts of answers that are being written, put together from pieces that come with their place in the text. A
 * screen opened in mid-answer reads the beginning from the store, which is a moment behind the pieces.
 */
export class StreamingTexts {
  #known = new Map<string, string>();
  /** Pieces behind a part that is missing still. */
  #tails = new Map<string, Tail>();

  /** Takes a piece; `shown` is what the screen has so far. Gives the whole text, or null while a part is missing. */
  add(turnId: string, offset: number, piece: string, shown: string): string | null {
    const known = this.#known.get(turnId) ?? shown;
    if (offset <= known.length) {
      const whole = known.slice(0, offset) + piece;
      this.#known.set(turnId, whole);
      return whole;
    }
    const tail = this.#tails.get(turnId);
    if (tail && offset === tail.offset + tail.text.length) tail.text += piece;
    else this.#tails.set(turnId, { offset, text: piece });
    return null;
  }

  /** Joins what the store holds with the pieces that came since. */
  merge(turnId: string, stored: string): string {
    const known = this.#known.get(turnId) ?? '';
    const longer = known.length > stored.length ? known : stored;
    const tail = this.#tails.get(turnId);
    const joins = tail !== undefined && longer.length >= tail.offset;
    const whole = joins ? longer.slice(0, tail.offset) + tail.text : longer;
    if (joins) this.#tails.delete(turnId);
    this.#known.set(turnId, whole);
    return whole;
  }

  isMissingPart(turnId: string): boolean {
    return this.#tails.has(turnId);
  }

  end(turnId: string) {
    this.#known.delete(turnId);
    this.#tails.delete(turnId);
  }
}
