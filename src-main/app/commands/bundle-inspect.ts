import type { Command } from 'commander';
import { z } from 'zod';
import {
  type InspectedGraph,
  type Inspection,
  inspectBundle,
} from '../../../native-models/bundles/inspection/inspect.ts';
import type { OnnxPort } from '../../../native-models/formats/onnx-reader.ts';
import { chooseBundle } from '../bundle-choice.ts';
import { runs } from './invocation.ts';
import { textTable } from './text-table.ts';

/** `parlance bundle inspect DIR`. */
export function addBundleInspect(bundle: Command): void {
  const inspect = bundle
    .command('inspect')
    .description('Shows what a bundle is made of, what it can do, and the memory that it takes.')
    .argument('<DIR>', 'a bundle, by its folder or its id');
  runs(inspect, z.object({}), async ({ home, output }, _options, [name = '']) => {
    const inspection = inspectBundle(chooseBundle(home.models, name).folder);
    output.event({ type: 'bundle', ...inspection });
    output.text(inWords(inspection));
  });
}

function inWords(inspection: Inspection): string {
  const { id, name, summary, licence, languages, capabilities, tasks, parts, memory, provenance } =
    inspection;
  const facts = [
    ['can', list(capabilities)],
    ['languages', list(languages)],
    ['tasks', list(tasks)],
    ['licence', licence],
    ['sound', soundOf(inspection)],
    [
      'LoRA',
      inspection.lora === null ? 'none' : `rank ${inspection.lora.rank}, strength ${inspection.lora.scale}`,
    ],
    ['answers', answersOf(inspection)],
  ];
  const sections = [
    `${id}: ${name}`,
    ...(summary === '' ? [] : [summary]),
    '',
    ...facts.map(([label = '', text = '']) => `${label.padEnd(10)} ${text}`),
    '',
    textTable(
      [
        ['part', 'architecture', 'parameters', 'on disk', 'in memory', 'kept as'],
        ...parts.map((part) => [
          part.part,
          part.architecture,
          inCounts(part.parameters),
          part.bytes === null ? '?' : inBytes(part.bytes),
          inBytes(part.memory),
          part.kept.join(', '),
        ]),
      ],
      'llrrrl',
    ),
    '',
    ...parts.flatMap(({ graphs }) => graphs.flatMap(graphLines)),
    ...(memory.length === 0
      ? []
      : [
          '',
          textTable([
            ['conversation', ...memory.map(({ positions }) => String(positions))],
            ['keys and values', ...memory.map(({ cache }) => inBytes(cache))],
            ['with the weights', ...memory.map(({ total }) => inBytes(total))],
          ]),
        ]),
    ...(provenance.length === 0
      ? []
      : ['', ...provenance.map((from) => `${from.file}: ${from.source} (${from.licence})`)]),
  ];
  return `${sections.join('\n')}\n`;
}

function list(words: readonly string[]): string {
  return words.length === 0 ? 'none' : words.join(', ');
}

function soundOf({ audioTokens }: Inspection): string {
  if (audioTokens === null) return 'no adaptor';
  if ('fixed' in audioTokens) return `${audioTokens.fixed} tokens a clip`;
  return `${Number(audioTokens.perSecond.toFixed(2))} tokens a second`;
}

function answersOf({ generation }: Inspection): string {
  const { maxTokens, temperature, beams } = generation;
  const way =
    beams > 1 ? `${beams} beams` : temperature === 0 ? 'the likeliest token' : `temperature ${temperature}`;
  return `up to ${maxTokens} tokens, ${way}`;
}

function graphLines({ file, inputs, outputs }: InspectedGraph): string[] {
  return [
    file,
    ...inWhole(inputs).map((port) => `  in   ${port}`),
    ...inWhole(outputs).map((port) => `  out  ${port}`),
  ];
}

/** Caches are named once for all layers: they differ in their numbers alone. */
function inWhole(ports: readonly OnnxPort[]): string[] {
  const described = ports.map(
    ({ name, type, shape }) => `${name.replace(/\.\d+\./, '.N.')}  ${type} [${(shape ?? ['?']).join(', ')}]`,
  );
  return [...new Set(described)];
}

function inCounts(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} B`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e3 ? `${(count / 1e3).toFixed(1)} k` : String(count);
}

function inBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e3).toFixed(1)} kB`;
}
