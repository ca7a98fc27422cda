import type { BundleManifest } from '../manifest.ts';
import { audioPlaceholder } from './text-files.ts';

export interface CardFacts {
  readonly manifest: BundleManifest;
  /** Of the weights in the folder. */
  readonly type: string;
  /** Whether the LLM's weights had a LoRA added. */
  readonly loraMerged: boolean;
}

/** README.md of the folder: what the model is made of, how to ask it, how to serve it, what it was measured at. */
export function modelCard({ manifest, type, loraMerged }: CardFacts): string {
  const { name, summary, licence, languages, provenance } = manifest;
  const lines = [
    '---',
    'library_name: transformers',
    'pipeline_tag: audio-text-to-text',
    `language: ${JSON.stringify(languages)}`,
    'license: other',
    `license_name: ${JSON.stringify(licence)}`,
    'tags: [ultravox, speech-llm]',
    '---',
    '',
    `# ${name}`,
    '',
    summary,
    '',
    `A speech LLM in the layout of Ultravox, written by Parlance out of the weights that its bundle \`${manifest.id}\` was built from;`,
    `they have the very values of their sources, for which ${type} is wide enough.${loraMerged ? ' The LoRA of the language model was added to its weights, as strongly as it was trained.' : ''}`,
    `Licence: ${licence}.`,
    '',
    ...table(
      ['part', 'source', 'licence'],
      provenance.map((one) => [one.file, one.source, one.licence]),
    ),
    '## Asking',
    '',
    `The sound takes the place of \`${audioPlaceholder}\`. What a user's message holds, through chat_template.jinja:`,
    '',
    ...table(['task', 'message'], prompts(manifest)),
    ...(manifest.prompt.system === '' ? [] : [`System prompt: ${code(manifest.prompt.system)}.`, '']),
    '## Serving',
    '',
    'vLLM: `vllm serve FOLDER --trust-remote-code`, with `--dtype bfloat16` to halve what float32 weights take.',
    "transformers: `AutoModel.from_pretrained(FOLDER, trust_remote_code=True)`, and the same of `AutoProcessor`. Both fetch Ultravox's",
    'own code, for the processor and for transformers, from the repository that `auto_map` in config.json names.',
    '',
    ...figures(manifest),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function prompts({ prompt }: BundleManifest): string[][] {
  const { before, after } = prompt.audio;
  const { text, answer = '', ...others } = prompt.tasks;
  const heard = `${before}${audioPlaceholder}${after}`;
  return [
    ['answer', code(`${heard}${answer}`)],
    ...Object.entries(others).map(([task, instruction]) => [task, code(`${heard}${instruction}`)]),
    ...(text === undefined ? [] : [['a question in words', code(`${text}…`)]]),
  ];
}

function figures({ figures: measured }: BundleManifest): string[] {
  if (measured.length === 0) return [];
  return [
    '## Figures',
    '',
    'Measured with the bundle, whose weights may be rounded and whose clips may be cut otherwise.',
    '',
    ...table(
      ['metric', 'set', 'engine', 'value'],
      measured.map(({ metric, set, engine, value, unit }) => [metric, set, engine, `${value} ${unit}`]),
    ),
  ];
}

/** A Markdown table and an empty line; nothing without rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** Line breaks as a reader of code would write them. */
function code(text: string): string {
  return `\`${text.replaceAll('\n', '\\n').replaceAll('`', "'")}\``;
}
