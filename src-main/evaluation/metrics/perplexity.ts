/** A text's tokens as a model sees them: how many, and the sum of −log p (nats) of each given all before. */
export interface TokenLoss {
  readonly tokens: number;
  readonly loss: number;
}

/**
 * exp of the mean −log p of all tokens of all texts. Jelinek et al. 1977, "Perplexity: a measure of the difficulty of speech
 * recognition tasks"; of responses as in Fathullah et al. 2024 (AudioChatLlama), section 4.2. Null without a token.
 */
export function perplexity(texts: readonly TokenLoss[]): number | null {
  let [tokens, loss] = [0, 0];
  for (const text of texts) {
    tokens += text.tokens;
    loss += text.loss;
  }
  return tokens === 0 ? null : Math.exp(loss / tokens);
}

export function tokenLoss(logProbabilities: readonly number[]): TokenLoss {
  return { tokens: logProbabilities.length, loss: -logProbabilities.reduce((sum, one) => sum + one, 0) };
}
