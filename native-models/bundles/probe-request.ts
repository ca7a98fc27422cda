export interface ProbeRequest {
  readonly folder: string;
  /** Clips of 16 kHz, one channel, in the order of their places in the prompt; none for a text-only probe. */
  readonly clips: readonly Float32Array[];
  /** The whole prompt as text, special tokens read as such; `{audio}` stands where a clip goes. */
  readonly prompt?: string;
  /** The prompt as token ids instead; -1 stands where a clip goes. */
  readonly ids?: readonly number[];
  /** Puts the LLM's first token in front of `prompt`. */
  readonly bos?: boolean;
  /** Strength of the LoRA; by default what it was trained with. 0 turns it off. */
  readonly loraScale?: number;
  /** `30` fills a clip to 30 s, `none` leaves it as short as the encoder allows; by default what the bundle wants. */
  readonly pad?: '30' | 'none';
  /** The safetensors file to write. */
  readonly out: string;
}
