import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderText } from '../../../native-models/tokenizers/folder-text.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

function folderOf(files: Readonly<Record<string, object | string>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

const tokenizer = {
  version: '1.0',
  added_tokens: [
    { id: 0, content: '<s>' },
    { id: 7, content: '<|end|>' },
  ],
  model: { type: 'BPE', vocab: { a: 1, ['__proto__']: 2 }, merges: [] },
};

describe('what a Hugging Face folder says about text', () => {
  it('its tokenizer.json, as it is', () => {
    const folder = folderOf({ 'tokenizer.json': JSON.stringify(tokenizer) });
    expect(JSON.stringify(folderText(folder).tokenizer)).toBe(JSON.stringify(tokenizer));
  });

  it('nothing, where there is nothing', () => {
    expect(folderText(folderOf({}))).toEqual({
      ...{ tokenizer: null, bosToken: null, eosTokens: [], chatTemplate: '' },
    });
  });

  it('ends of an answer out of every file that names some, each once', () => {
    const text = folderText(
      folderOf({
        'tokenizer.json': tokenizer,
        'tokenizer_config.json': { eos_token: { content: '<|end|>', lstrip: false }, bos_token: '<s>' },
        'generation_config.json': { eos_token_id: [3, 4] },
        'config.json': { eos_token_id: 3, text_config: { eos_token_id: 5 } },
      }),
    );
    expect(text.eosTokens).toEqual([7, 3, 4, 5]);
    expect(text.bosToken).toBe(0);
  });

  it('the id in config.json before the token in tokenizer_config.json, for the beginning', () => {
    const config = { bos_token_id: 9, eos_token_id: null };
    const text = folderText(folderOf({ 'tokenizer.json': tokenizer, 'config.json': config }));
    expect(text.bosToken).toBe(9);
    expect(text.eosTokens).toEqual([]);
  });

  const template = '{{ messages }}';
  const several = [
    { name: 'tool_use', template: 'tools' },
    { name: 'default', template },
  ];
  const places: [string, Record<string, object | string>][] = [
    [
      'a file of its own',
      { 'chat_template.jinja': template, 'tokenizer_config.json': { chat_template: 'x' } },
    ],
    ['a JSON file', { 'chat_template.json': { chat_template: template } }],
    ['tokenizer_config.json', { 'tokenizer_config.json': { chat_template: template } }],
    ['the default of several', { 'tokenizer_config.json': { chat_template: several } }],
  ];
  for (const [place, files] of places)
    it(`a chat template out of ${place}`, () => {
      expect(folderText(folderOf(files)).chatTemplate).toBe(template);
    });

  const refused: [string, Record<string, object | string>, RegExp][] = [
    ['JSON that is none', { 'tokenizer.json': '{' }, /tokenizer\.json: is not JSON/],
    [
      'a tokenizer without a model',
      { 'tokenizer.json': { version: '1.0' } },
      /tokenizer\.json: model is missing/,
    ],
    ['a list where fields belong', { 'config.json': [] }, /config\.json: is not a JSON object/],
    ['an end that is no token', { 'config.json': { eos_token_id: 'end' } }, /eos_token_id is not what/],
    [
      'a template that is none',
      { 'tokenizer_config.json': { chat_template: 5 } },
      /chat_template is not what it should be/,
    ],
    ['a tokenizer.model that is none', { 'tokenizer.model': 'nonsense' }, /tokenizer\.model/],
    ['an empty tokenizer.model', { 'tokenizer.model': '' }, /it has no pieces/],
    [
      'added tokens without ids',
      { 'tokenizer.model': '\n\u0003\n\u0001a', 'added_tokens.json': { '[PAD]': 'x' } },
      /added_tokens\.json/,
    ],
  ];
  for (const [what, files, message] of refused)
    it(`refuses ${what}, by the file's name`, () => {
      expect(() => folderText(folderOf(files))).toThrow(
        expect.objectContaining({ name: 'ModelError', message: expect.stringMatching(message) }),
      );
    });
});
