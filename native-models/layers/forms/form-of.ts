import type { LazyTensor } from '../../formats/tensor-source.ts';
import type { WeightFormat } from '../weight-format.ts';
import { floatRowsForm } from './float-rows.ts';
import type { Form } from './form.ts';
import { plainBlocksForm } from './plain-blocks.ts';
import { roundedBlock, roundedBlocksForm } from './rounded-blocks.ts';
import { superBlocksForm } from './super-blocks.ts';

/** How a matrix is kept. Rows that are not whole blocks are not rounded. */
export function formOf(tensor: LazyTensor, format: WeightFormat): Form {
  const { type, shape } = tensor;
  const columns = shape[1] ?? 0;
  const rounds = (format === 'q8' || format === 'q4') && columns % roundedBlock === 0;
  if (rounds) return roundedBlocksForm(format === 'q4' ? 4 : 8, columns);
  switch (type) {
    case 'F32':
    case 'F16':
    case 'BF16':
      return floatRowsForm(type, columns);
    case 'Q4_0':
    case 'Q4_1':
    case 'Q5_0':
    case 'Q5_1':
    case 'Q8_0':
      return format === 'keep' ? plainBlocksForm(type, columns) : floatRowsForm(null, columns);
    case 'Q2_K':
    case 'Q3_K':
    case 'Q4_K':
    case 'Q5_K':
    case 'Q6_K':
      return format === 'keep' ? superBlocksForm(type, columns) : floatRowsForm(null, columns);
    default:
      return floatRowsForm(null, columns);
  }
}
