/** Rows of words in columns, two spaces between them; `alignment` has a letter a column, l or r, the last one for all others. */
export function textTable(rows: readonly (readonly string[])[], alignment = 'lr'): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const aligned = (word: string, column: number) => {
    const width = widths[column] ?? 0;
    return (alignment[column] ?? alignment.at(-1)) === 'l' ? word.padEnd(width) : word.padStart(width);
  };
  return rows.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n');
}
