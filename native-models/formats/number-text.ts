declare global {
  interface JSON {
    /** A value that `JSON.stringify` writes as this very text (ECMAScript, JSON.parse source text access). */
    rawJSON(text: string): object;
  }
}

/**
 * Parses JSON that is to be written again: numbers with a point or an exponent keep their text. To a program that tells whole
 * numbers from others, as transformers does when it checks a configuration, `9.0` and `9` are not the same.
 */
export function parseToCopy(text: string): unknown {
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source ?? '';
    return typeof value === 'number' && /[.eE]/.test(source) ? JSON.rawJSON(source) : value;
  });
}

/** A number of a field that holds no whole numbers, even where this one is whole. */
export function floatText(value: number): number | object {
  return Number.isInteger(value) ? JSON.rawJSON(`${value}.0`) : value;
}
