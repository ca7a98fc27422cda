import { ProtobufWriter } from '../../../../native-models/formats/protobuf-writer.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { awkwardNumbers, type Random } from './random.ts';

/** A field of a message: a number, bytes, or a message within. */
export type MessageField = readonly [
  field: number,
  value: number | bigint | string | Uint8Array | MessageTree,
];
export type MessageTree = readonly MessageField[];

/** Writes a message with all its lengths right. */
export function messageOf(tree: MessageTree): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const [field, value] of tree) {
    if (typeof value === 'number' || typeof value === 'bigint') writer.integer(field, value);
    else if (typeof value === 'string') writer.string(field, value);
    else if (value instanceof Uint8Array) writer.bytes(field, value);
    else writer.message(field, messageOf(value));
  }
  return writer;
}

/** A copy in which one field, anywhere, is another, gone, doubled, or of another number. */
export function mutateMessage(tree: MessageTree, random: Random): MessageTree {
  const fields = [...tree];
  const at = random.below(fields.length);
  const chosen = fields[at];
  if (chosen === undefined) return [[1 + random.below(20), random.below(300)]];
  const [field, value] = chosen;
  switch (random.below(8)) {
    case 0:
      fields.splice(at, 1);
      break;
    case 1:
      fields.push(chosen);
      break;
    case 2:
      fields[at] = [1 + random.below(20), value];
      break;
    default:
      fields[at] = [field, mutated(value, random)];
  }
  return fields;
}

function mutated(value: MessageField[1], random: Random): MessageField[1] {
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = random.pick(awkwardNumbers);
    return Number.isFinite(number) ? BigInt.asUintN(64, BigInt(Math.trunc(number))) : random.below(30);
  }
  if (typeof value === 'string') return mutateBytes(Buffer.from(value), random);
  return value instanceof Uint8Array ? mutateBytes(value, random) : mutateMessage(value, random);
}
