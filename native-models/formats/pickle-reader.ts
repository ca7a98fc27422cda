import { ModelError } from '../errors.ts';
import { invalidFile } from './binary-file.ts';
import { PickleMachine } from './pickle-machine.ts';
import type { PickleLibrary } from './pickle-values.ts';

/** Far more than a checkpoint needs, far less than would fill the memory. */
const stepLimit = 3_000_000;
const stop = 0x2e;

/**
 * Reads a pickle of protocol 2 to 5 as data: numbers, text, bytes, lists and tuples (arrays), dicts (maps), sets, and what the
 * library gives. No code of the file is ever run: a global that the library does not know and an opcode that is not needed for
 * data end the reading, by name. Throws `file-invalid` or `not-supported`.
 */
export function readPickle(path: string, bytes: Uint8Array<ArrayBuffer>, library: PickleLibrary): unknown {
  const machine = new PickleMachine(path, bytes, library);
  for (let step = 0; step < stepLimit; step++) {
    const opcode = machine.number(1);
    if (opcode === stop) return machine.pop();
    const action = actions.get(opcode);
    if (action === undefined)
      throw new ModelError(
        'not-supported',
        `${path}: its pickle uses the opcode 0x${opcode.toString(16).padStart(2, '0')}, which weights do not need.`,
        'Save the weights anew with torch.save, or convert them to safetensors.',
      );
    action(machine);
  }
  throw invalidFile(path, `its pickle takes more than ${stepLimit} steps`);
}

/** What each opcode does, by its name in Python's pickletools. */
const actions: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map<
  number,
  (machine: PickleMachine) => void
>([
  [0x80, (m) => m.advance(1)], // PROTO
  [0x95, (m) => m.advance(8)], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.sinceMark()], // POP_MARK
  [0x32, (m) => m.repeat()], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.integer(4)], // BININT
  [0x4b, (m) => m.integer(1)], // BININT1
  [0x4d, (m) => m.integer(2)], // BININT2
  [0x8a, (m) => m.long(1)], // LONG1
  [0x8b, (m) => m.long(4)], // LONG4
  [0x47, (m) => m.float()], // BINFLOAT
  [0x58, (m) => m.text(4)], // BINUNICODE
  [0x8c, (m) => m.text(1)], // SHORT_BINUNICODE
  [0x8d, (m) => m.text(8)], // BINUNICODE8
  [0x54, (m) => m.text(4)], // BINSTRING
  [0x55, (m) => m.text(1)], // SHORT_BINSTRING
  [0x42, (m) => m.bytes(4)], // BINBYTES
  [0x43, (m) => m.bytes(1)], // SHORT_BINBYTES
  [0x8e, (m) => m.bytes(8)], // BINBYTES8
  [0x96, (m) => m.bytes(8)], // BYTEARRAY8
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x61, (m) => m.append(m.one())], // APPEND
  [0x65, (m) => m.append(m.sinceMark())], // APPENDS
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x74, (m) => m.push(m.sinceMark())], // TUPLE
  [0x85, (m) => m.tuple(1)], // TUPLE1
  [0x86, (m) => m.tuple(2)], // TUPLE2
  [0x87, (m) => m.tuple(3)], // TUPLE3
  [0x7d, (m) => m.make(() => new Map())], // EMPTY_DICT
  [0x73, (m) => m.set(m.pair())], // SETITEM
  [0x75, (m) => m.set(m.sinceMark())], // SETITEMS
  [0x8f, (m) => m.make(() => new Set())], // EMPTY_SET
  [0x90, (m) => m.append(m.sinceMark())], // ADDITEMS
  [0x91, (m) => m.make(() => new Set(m.sinceMark()))], // FROZENSET
  [0x68, (m) => m.recall(m.number(1))], // BINGET
  [0x6a, (m) => m.recall(m.number(4))], // LONG_BINGET
  [0x71, (m) => m.remember(m.number(1))], // BINPUT
  [0x72, (m) => m.remember(m.number(4))], // LONG_BINPUT
  [0x94, (m) => m.remember(null)], // MEMOIZE
  [0x63, (m) => m.namedGlobal()], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x52, (m) => m.call()], // REDUCE
  [0x81, (m) => m.call()], // NEWOBJ
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.persistent()], // BINPERSID
]);
