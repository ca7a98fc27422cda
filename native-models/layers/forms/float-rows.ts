import type { ElementType } from '../../graph/element-types.ts';
import type { Form } from './form.ts';

/** Plain numbers, in the file's own precision or in single. */
export function floatRowsForm(type: 'F32' | 'F16' | 'BF16' | null, columns: number): Form {
  const element: ElementType = type === 'F16' ? 'float16' : type === 'BF16' ? 'bfloat16' : 'float32';
  return {
    name: `${type ?? 'single'} ${columns}`,
    takes: type === null ? 'float32' : 'stored',
    pieces: [{ name: 'values', type: element, row: [columns], small: false }],
    convert: (rows) => ({ values: rows }),
    unpack(g, piece) {
      const values = piece('values');
      return { kind: 'floats', values: element === 'float32' ? values : g.cast(values, 'float32') };
    },
  };
}
