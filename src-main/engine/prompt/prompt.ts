import { Template } from '@huggingface/jinja';
import { ParlanceError } from '../../contract/errors.ts';
import type { AudioUnit, Unit } from './sequence.ts';
import type { TextPart, TextTokens } from './text-tokens.ts';

/**
 * What stands in a turn: text that somebody wrote, text of the bundle in which special tokens are read as such, the very tokens
 * of an earlier answer, or sound.
 */
export type PromptPart = string | { readonly template: string } | readonly number[] | AudioUnit;

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: readonly PromptPart[];
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
 * an earlier answer stands there with the very tokens that the model generated. Text between two of those is tokenised in one
 * go, whatever it is made of, as it was in training.
 */
export class PromptBuilder {
  readonly #template: Template;
  readonly #tokens: TextTokens;
  readonly #bos: number | null;
  readonly #beforeText: string;
  readonly #takesSystem: boolean;
  readonly #constants: Record<string, string>;

  /** `beforeText` stands before every question in words. Throws bundle-invalid when the template cannot be read. */
  constructor(
    template: string,
    tokens: TextTokens,
    bos: number | null,
    eos: number | undefined,
    beforeText = '',
  ) {
    this.#tokens = tokens;
    this.#bos = bos;
    this.#beforeText = beforeText;
    this.#constants = {
      bos_token: (bos === null ? null : tokens.textOf(bos)) ?? '',
      eos_token: (eos === undefined ? null : tokens.textOf(eos)) ?? '',
    };
    try {
      this.#template = new Template(template);
    } catch (cause) {
      throw templateFailed(cause);
    }
    this.#takesSystem = this.#renders(['system', 'user']);
  }

  /**
   * A system prompt that the template has no place for goes in front of the first question. Throws bundle-invalid when the
   * template refuses these roles, or leaves a message out.
   */
  build(messages: readonly PromptMessage[]): Prompt {
    const [system, question, ...rest] = messages;
    if (this.#takesSystem || system?.role !== 'system' || question?.role !== 'user')
      return this.#build(messages);
    const content = [...system.content, '\n\n', ...question.content];
    const { units, sizes } = this.#build([{ role: 'user', content }, ...rest]);
    return { units, sizes: [0, ...sizes] };
  }

  #build(messages: readonly PromptMessage[]): Prompt {
    const pieces = this.#render(messages);
    const opensWithSpace = pieces.at(-1)?.endsWith(' ') ?? false;
    const sequence = new SequenceBuilder(this.#tokens, messages.length, opensWithSpace);
    sequence.text(pieces[0] ?? '', true, 0);
    messages.forEach(({ role, content }, index) => {
      const spoken = content.some((part) => typeof part === 'object' && 'audio' in part);
      if (role === 'user' && !spoken) sequence.text(this.#beforeText, true, index);
      for (const part of content) sequence.part(part, index);
      sequence.text(pieces[index + 1] ?? '', true, index);
    });
    return sequence.finish(this.#bos);
  }

  #renders(roles: ReadonlyArray<PromptMessage['role']>): boolean {
    try {
      this.#render(roles.map((role) => ({ role, content: [] })));
      return true;
    } catch {
      return false; // what is wrong with it is said when a prompt is built
    }
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

/** Gathers text until something else comes, and tokenises it then. */
class SequenceBuilder {
  readonly #tokens: TextTokens;
  readonly #units: Unit[] = [];
  readonly #sizes: number[];
  readonly #opensWithSpace: boolean;
  #run: Array<TextPart & { message: number }> = [];

  /** `opensWithSpace`: whether the template's opening of an answer, from which the model goes on, ends in a space. */
  constructor(tokens: TextTokens, messages: number, opensWithSpace: boolean) {
    this.#tokens = tokens;
    this.#opensWithSpace = opensWithSpace;
    this.#sizes = new Array<number>(messages).fill(0);
  }

  part(part: PromptPart, message: number): void {
    if (typeof part === 'string') this.text(part, false, message);
    else if ('template' in part) this.text(part.template, true, message);
    else if ('audio' in part) this.#sound(part, message);
    else this.#answer(part, message);
  }

  text(text: string, template: boolean, message: number): void {
    if (text !== '') this.#run.push({ text, template, message });
  }

  finish(bos: number | null): Prompt {
    this.#flush();
    // A template that begins with the first token, around a text that does as well.
    if (bos !== null && this.#units[0] === bos && this.#units[1] === bos) {
      this.#units.shift();
      this.#sizes[0] = (this.#sizes[0] ?? 0) - 1;
    }
    return { units: this.#units, sizes: this.#sizes };
  }

  #sound(sound: AudioUnit, message: number): void {
    this.#flush();
    if (sound.positions > 0) this.#units.push(sound);
    this.#count(message, sound.positions);
  }

  #answer(tokens: readonly number[], message: number): void {
    const last = this.#run.at(-1);
    // Some templates put a space before an earlier answer that was not there when the model wrote it.
    if (!this.#opensWithSpace && last?.text.endsWith(' '))
      this.#run[this.#run.length - 1] = { ...last, text: last.text.slice(0, -1) };
    this.#flush();
    this.#units.push(...tokens);
    this.#count(message, tokens.length);
  }

  /** The tokens of a run belong to its messages by their share of its text. */
  #flush(): void {
    const ids = this.#tokens.encode(this.#run);
    const length = this.#run.reduce((sum, { text }) => sum + text.length, 0);
    let read = 0;
    let counted = 0;
    for (const { text, message } of this.#run) {
      read += text.length;
      const here = Math.round((ids.length * read) / length);
      this.#count(message, here - counted);
      counted = here;
    }
    this.#units.push(...ids);
    this.#run = [];
  }

  #count(message: number, positions: number): void {
    this.#sizes[message] = (this.#sizes[message] ?? 0) + positions;
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
