import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OnnxModel } from '../../../../native-models/formats/onnx-reader.ts';
import { busyMachine, filesPerReader, fuzzReader, type Sample } from './fuzz-reader.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { type MessageTree, messageOf, mutateMessage } from './mutate-message.ts';
import { awkwardNames, type Random } from './random.ts';

const written = readFileSync(new URL('../../../fixtures/formats/onnx-model.onnx', import.meta.url));
const data = readFileSync(new URL('../../../fixtures/formats/onnx-model.data', import.meta.url));

const dimension = (value: number | string): MessageTree => [[typeof value === 'number' ? 1 : 2, value]];
const port = (name: string): MessageTree => [
  [1, name],
  [
    2,
    [
      [
        1,
        [
          [1, 1],
          [
            2,
            [
              [1, dimension('batch')],
              [1, dimension(3)],
            ],
          ],
        ],
      ],
    ],
  ],
];
const outside = (location: string): MessageTree => [
  ...([
    [1, 2],
    [1, 3],
    [2, 1],
    [8, `at ${location}`],
  ] as const),
  [
    13,
    [
      [1, 'location'],
      [2, location],
    ],
  ],
  [
    13,
    [
      [1, 'offset'],
      [2, '16'],
    ],
  ],
  [
    13,
    [
      [1, 'length'],
      [2, '24'],
    ],
  ],
  [14, 1],
];

/** A model by its fields, with data in the file, in lists and beside it. */
function modelTree(location: string): MessageTree {
  return [
    [1, 10],
    [2, 'fuzz'],
    [
      7,
      [
        [
          1,
          [
            [1, 'x'],
            [2, 'y'],
            [4, 'MatMul'],
            [
              5,
              [
                [1, 'axis'],
                [3, -1],
              ],
            ],
          ],
        ],
        [
          1,
          [
            [4, 'If'],
            [
              5,
              [
                [1, 'then_branch'],
                [6, [[1, [[4, 'Identity']]]]],
              ],
            ],
          ],
        ],
        [
          5,
          [
            [1, 2],
            [1, 2],
            [2, 10],
            [8, 'raw'],
            [9, Buffer.from('12345678')],
          ],
        ],
        [
          5,
          [
            [1, 2],
            [2, 1],
            [8, 'floats'],
            [4, Buffer.from('12345678')],
          ],
        ],
        [
          5,
          [
            [1, 3],
            [2, 7],
            [8, 'longs'],
            [7, 5],
            [7, -5],
            [7, 2 ** 40],
          ],
        ],
        [5, outside(location)],
        [11, port('x')],
        [12, port('y')],
      ],
    ],
    [
      8,
      [
        [1, 'com.microsoft'],
        [2, 1],
      ],
    ],
    [
      14,
      [
        [1, 'key'],
        [2, 'value'],
      ],
    ],
  ];
}

function sample(random: Random): Sample {
  const files = { '/m/model': bytes(random), '/m/onnx-model.data': data, '/outside': data };
  return { path: '/m/model', files };
}

function bytes(random: Random): Uint8Array {
  if (random.chance(0.4)) return mutateBytes(written, random);
  let tree = modelTree(random.chance(0.3) ? random.pick(awkwardNames) : 'onnx-model.data');
  for (let left = random.below(4); left > 0; left--) tree = mutateMessage(tree, random);
  return messageOf(tree).finish();
}

it(
  `${filesPerReader} mutated ONNX models are read or refused`,
  () => {
    const { opened, refused } = fuzzReader((...file) => new OnnxModel(...file), sample, 5_000_000);
    expect(Math.min(opened, refused)).toBeGreaterThan(1000);
  },
  busyMachine,
);
