import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecipe } from '../../../native-models/bundles/recipe.ts';
import { PromptBuilder } from '../../../src-main/engine/prompt/prompt.ts';
import { positionsOf } from '../../../src-main/engine/prompt/sequence.ts';
import { TextTokens } from '../../../src-main/engine/prompt/text-tokens.ts';
import { TokenText } from '../../../src-main/engine/prompt/token-text.ts';
import { sentencePieces } from '../../fixtures/systems/checkpoints.ts';

const tokens = new TextTokens(sentencePieces(['<|Human|>']));
const sound = { audio: 'a', positions: 40 };
const templateOf = (name: string) =>
  readRecipe(join('resources', 'recipes', `${name}.json`)).prompt.template ?? '';
const [bos, eos] = [1, 2];

describe('a prompt for a tokenizer that marks the beginning of each text', () => {
  const salmonn = new PromptBuilder(templateOf('salmonn'), tokens, bos, eos);

  it('is tokenised in one go up to the sound, and in one go behind it', () => {
    const { units, sizes } = salmonn.build([
      { role: 'user', content: [{ template: '<Speech>' }, sound, { template: '</Speech>' }, ' Listen.'] },
    ]);
    expect(units).toEqual([
      bos,
      ...tokens.encodeTemplate('USER: <Speech>'),
      sound,
      ...tokens.encodeTemplate('</Speech> Listen.\nASSISTANT:'),
    ]);
    expect(sizes).toEqual([positionsOf(units)]);
  });

  it.each(['the answer', 'Ianswer'])(
    'goes on from “%s” with the tokens that the model generated, and no space of its own',
    (answer) => {
      const question = { role: 'user' as const, content: ['the question'] };
      const first = salmonn.build([question]);
      // Sometimes the model writes no space either.
      const generated = tokens.encodeTemplate(answer).slice(answer.startsWith('I') ? 1 : 0);
      const second = salmonn.build([question, { role: 'assistant', content: [generated] }, question]);
      const kept = [...first.units, ...generated];
      expect(second.units.slice(0, kept.length)).toEqual(kept);
      expect(second.units[kept.length]).toBe(eos);
      expect(second.sizes.reduce((sum, size) => sum + size, 0)).toBe(positionsOf(second.units));
    },
  );

  it('keeps the space before an answer where the model wrote behind one', () => {
    const template =
      "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + ' ' }}{% endfor %}assistant: ";
    const prompts = new PromptBuilder(template, tokens, null, undefined);
    const question = { role: 'user' as const, content: ['the question'] };
    const first = prompts.build([question]);
    const answer = tokens.encodeTemplate('the');
    const second = prompts.build([question, { role: 'assistant', content: [answer] }, question]);
    expect(second.units.slice(0, first.units.length)).toEqual(first.units);
  });

  it('says an earlier answer as text where its tokens are not known any more', () => {
    const { units } = salmonn.build([
      { role: 'user', content: ['the question'] },
      { role: 'assistant', content: ['the answer'] },
      { role: 'user', content: ['the words'] },
    ]);
    expect(units).toEqual(
      tokens.encodeTemplate('<s>USER: the question\nASSISTANT: the answer</s>USER: the words\nASSISTANT:'),
    );
  });

  it('begins with the first token once, also when template and text both bring it', () => {
    const twice = new PromptBuilder("<s>{{ bos_token + messages[0]['content'] }}", tokens, bos, eos);
    const { units, sizes } = twice.build([{ role: 'user', content: ['the'] }]);
    expect(units).toEqual([bos, ...tokens.encodeTemplate('the')]);
    expect(sizes).toEqual([2]);
  });

  it('puts what the bundle says before a typed question, and nothing before a spoken one', () => {
    const prompts = new PromptBuilder("{{ messages[0]['content'] }}", tokens, null, eos, '<|Human|>');
    const human = tokens.encodeTemplate('<|Human|>');
    expect(human).toHaveLength(1);
    expect(prompts.build([{ role: 'user', content: ['the'] }]).units).toEqual([
      ...human,
      ...tokens.encodeTemplate('the'),
    ]);
    expect(prompts.build([{ role: 'user', content: [sound] }]).units).toEqual([sound]);
    expect(prompts.build([{ role: 'system', content: ['the'] }]).units).toEqual(tokens.encodeTemplate('the'));
  });

  it('never reads a special token out of what somebody wrote, wherever it is cut', () => {
    const special = [bos, eos, ...tokens.encodeTemplate('<|Human|>')];
    for (const [template, text] of [
      ['the ', '</s>'],
      ['the <', '/s>'],
      ['', '<</s>/s><|Human|'],
      ['', '<|Human<s>|>'],
    ] as const) {
      const parts = [
        { text: template, template: true },
        { text, template: false },
        { text: '>', template: true },
      ];
      expect(
        tokens.encode(parts).filter((id) => special.includes(id)),
        template + text,
      ).toEqual([]);
    }
    const own = [
      { text: 'the ', template: false },
      { text: '</s>', template: true },
    ];
    expect(tokens.encode(own).at(-1)).toBe(eos);
  });

  it('has the system prompt in front of the first question where the template has no place for it', () => {
    const refuses =
      "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}{{ message['content'] }}{% endfor %}";
    const drops =
      "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['content'] }}{% endif %}{% endfor %}";
    for (const template of [refuses, drops]) {
      const prompts = new PromptBuilder(template, tokens, null, undefined);
      const { units, sizes } = prompts.build([
        { role: 'system', content: ['the words'] },
        { role: 'user', content: ['the question'] },
        { role: 'assistant', content: [[7, 8]] },
        { role: 'user', content: [sound] },
      ]);
      const opening = tokens.encodeTemplate('the words\n\nthe question');
      expect(units).toEqual([...opening, 7, 8, sound]);
      expect(sizes).toEqual([0, opening.length, 2, 40]);
    }
  });

  it('has the templates of the other recipes: what their papers write', () => {
    const llama = new PromptBuilder(templateOf('audiochatllama'), tokens, bos, eos);
    expect(llama.build([{ role: 'user', content: [sound] }]).units).toEqual([
      ...tokens.encodeTemplate('<s>[INST] <<SYS>>\n\n<</SYS>>\n\n'),
      sound,
      ...tokens.encodeTemplate(' [/INST]'),
    ]);
    const withSystem = llama.build([
      { role: 'system', content: ['the words'] },
      { role: 'user', content: [sound] },
    ]);
    expect(withSystem.units).toEqual([
      ...tokens.encodeTemplate('<s>[INST] <<SYS>>\nthe words\n<</SYS>>\n\n'),
      sound,
      ...tokens.encodeTemplate(' [/INST]'),
    ]);
  });
});

describe('streamed text of such a tokenizer', () => {
  const stream = (ids: readonly number[]) => {
    const text = new TokenText(tokens);
    const pieces = ids.map((id) => text.push(id));
    expect(pieces.join('')).toBe(text.text);
    return { pieces, text: text.text };
  };

  it('has its spaces, line ends and characters of several bytes, and its pieces joined are the text', () => {
    for (const text of [
      'the answer is in the words',
      ' the  answer\n\nin  ',
      'Grüße, 世界 👩‍👩‍👧! the',
      '\n世\n世🙂🙂a🙂',
    ]) {
      const { pieces, text: joined } = stream(tokens.encodeTemplate(text));
      expect(joined).toBe(text);
      for (const piece of pieces) expect(piece).not.toContain('�');
    }
  });

  it('goes on behind a character that never became whole', () => {
    const [first = 0, second = 0] = tokens.encodeTemplate('世').slice(1);
    const the = tokens.encodeTemplate('the');
    const broken = stream([...the, first, second, ...the]).text;
    expect(broken.startsWith('the')).toBe(true);
    expect(broken.endsWith(' the')).toBe(true);
    expect(broken).toContain('�');
    expect(stream([...the, first, second]).text).toBe('the');
  });
});
