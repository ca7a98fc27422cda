/** What a language model's files say about text. */
export interface ModelText {
  /** In the tokenizer.json format of Hugging Face; null where the files bring no tokenizer. */
  readonly tokenizer: object | null;
  readonly bosToken: number | null;
  /** Tokens that end an answer. */
  readonly eosTokens: readonly number[];
  /** Jinja; empty where there is none. */
  readonly chatTemplate: string;
}
