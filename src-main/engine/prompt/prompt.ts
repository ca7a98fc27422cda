import { Template } from '@huggingface/jinja';
import { ParlanceError } from '../../contract/errors.ts';
import type { AudioUnit, Unit } from './sequence.ts';
import type { TextTokens } from './text-tokens.ts';

/** A turn as the model reads it: its text already as tokens, its sound as a unit. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: ReadonlyArray<readonly number[] | AudioUnit>;
}

export interface Prompt {
  readonly units: readonly Unit[];
  /** Positions of each message, with the template's text up to the next one; the last has the answer's opening. */
  readonly sizes: readonly number[];
}

// Private-use characters: no template looks at them, trims them or tests for them.
const markerStart = '\u{E000}';
const markerEnd = '\u{E001}';

/**
 * Builds prompts with a model's own chat template (Jinja). The template is rendered with a marker in the place of every
 * message's content: so its special tokens are read as such while content never is, sound takes its place between texts, and
 * an earlier answer stands there with the very tokens that the model generated.
 */
export class PromptBuilder {
  readonly #template: Template;
  readonly #tokens: TextTokens;
  readonly #constants: Record<string, string>;

  /** Throws bundle-invalid when the template cannot be read. */
  constructor(template: string, tokens: TextTokens, bos: number | null, eos: number | undefined) {
    this.#tokens = tokens;
    this.#constants = {
      bos_token: (bos === null ? null : tokens.textOf(bos)) ?? '',
      eos_token: (eos === undefined ? null : tokens.textOf(eos)) ?? '',
    };
    try {
      this.#template = new Template(template);
    } catch (cause) {
      throw templateFailed(cause);
    }
  }

  /** Throws bundle-invalid when the template refuses these roles, or leaves a message out. */
  build(messages: readonly PromptMessage[]): Prompt {
    const pieces = this.#render(messages);
    const units: Unit[] = this.#tokens.encodeTemplate(pieces[0] ?? '');
    const sizes: number[] = [];
    let counted = 0;
    let positions = units.length;
    messages.forEach((message, index) => {
      for (const part of message.content) {
        if ('audio' in part) {
          if (part.positions > 0) units.push(part);
          positions += part.positions;
        } else {
          units.push(...part);
          positions += part.length;
        }
      }
      const after = this.#tokens.encodeTemplate(pieces[index + 1] ?? '');
      units.push(...after);
      positions += after.length;
      sizes.push(positions - counted);
      counted = positions;
    });
    return { units, sizes };
  }

  /** The template's own text before, between and after the contents. */
  #render(messages: readonly PromptMessage[]): string[] {
    let text: string;
    try {
      text = this.#template.render({
        ...this.#constants,
        messages: messages.map(({ role }, index) => ({
          role,
          content: `${markerStart}${index}${markerEnd}`,
        })),
        add_generation_prompt: true,
      });
    } catch (cause) {
      throw templateFailed(cause);
    }
    const split = text.split(new RegExp(`${markerStart}(\\d+)${markerEnd}`));
    const order = split.filter((_, index) => index % 2 === 1).map(Number);
    if (order.length !== messages.length || order.some((number, index) => number !== index))
      throw templateFailed(new Error('it does not give every message once, in order'));
    return split.filter((_, index) => index % 2 === 0);
  }
}

function templateFailed(cause: unknown): ParlanceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ParlanceError(
    'bundle-invalid',
    `The bundle's chat template failed: ${reason}.`,
    "Correct prompt.chatTemplate in the bundle's bundle.json, or use another bundle.",
    { cause },
  );
}
