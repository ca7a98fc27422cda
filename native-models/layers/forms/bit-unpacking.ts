import type { Value } from '../../graph/definition.ts';
import type { Graph } from '../../graph/graph.ts';

const byte = (g: Graph, value: number) => g.constant('uint8', [], [value]);

/** `(x shifted) & mask`; a negative shift is to the left. */
function bits(g: Graph, x: Value, shift: number, mask: number): Value {
  const direction = shift > 0 ? 'RIGHT' : 'LEFT';
  const moved = shift === 0 ? x : g.bitShift(x, byte(g, Math.abs(shift)), direction);
  return g.bitwiseAnd(moved, byte(g, mask));
}

/**
 * Bits of `packBits`, u8 [rows, blocks, w] → bytes of two nibbles [rows, blocks, 4·w]: each bit, moved to bit `to` of its nibble.
 * `places` are those it was packed with.
 */
export function unpackBits(
  g: Graph,
  packed: Value,
  to: number,
  places: readonly [number, number, number, number],
): Value {
  const mask = 0x11 << to;
  return g.concat(
    places.map((place) => bits(g, packed, place - to, mask)),
    -1,
  );
}

/** Levels of `packTwoBits`, u8 [rows, blocks, w] → bytes of two nibbles [rows, blocks, 2·w]. */
export function unpackTwoBits(g: Graph, packed: Value): Value {
  return g.concat([bits(g, packed, 0, 0x33), bits(g, packed, 2, 0x33)], -1);
}

/** Levels of `packSixBits`, the three planes u8 [rows, blocks, w] → [rows, blocks, 4·w]. */
export function unpackSixBits(g: Graph, planes: readonly [Value, Value, Value]): Value {
  const [first, second, third] = planes;
  const own = planes.map((plane) => bits(g, plane, 0, 63));
  const low = g.bitwiseOr(g.bitShift(first, byte(g, 6), 'RIGHT'), bits(g, second, 4, 12));
  return g.concat([...own, g.bitwiseOr(low, bits(g, third, 2, 48))], -1);
}
