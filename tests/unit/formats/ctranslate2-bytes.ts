const u8 = (value: number) => Buffer.from([value & 0xff]);
const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);

/** A text as CTranslate2 writes it: its length with the closing NUL, then itself. */
export function textBytes(value: string): Buffer {
  const text = Buffer.from(`${value}\0`);
  return Buffer.concat([u16(text.length), text]);
}

/** A variable of a model, whatever it claims: `bytes` of data in these dimensions. */
export function variableBytes(
  name: string,
  shape: readonly number[],
  type: number,
  data: ArrayBufferView,
  bytes = data.byteLength,
): Buffer {
  return Buffer.concat([
    textBytes(name),
    u8(shape.length),
    ...shape.map(u32),
    u8(type),
    u32(bytes),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** A model.bin of these variables and aliases, which it may miscount. */
export function modelBytes(
  variables: readonly Buffer[],
  aliases: readonly (readonly [alias: string, name: string])[] = [],
  version = 6,
  counts = { variables: variables.length, aliases: aliases.length },
): Buffer {
  return Buffer.concat([
    u32(version),
    textBytes('WhisperSpec'),
    u32(3),
    u32(counts.variables),
    ...variables,
    u32(counts.aliases),
    ...aliases.flat().map(textBytes),
  ]);
}
