/** `keep`: the very values of the file, in as few bytes; `none`: single precision; else rounded in blocks of 32. */
export type WeightFormat = 'keep' | 'none' | 'q8' | 'q4';
