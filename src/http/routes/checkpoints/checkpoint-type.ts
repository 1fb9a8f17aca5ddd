/** The query parameter `checkpoint_type`: there is one type, and it has to be said. */
import Type from 'typebox';
import { DomainError } from '../../../model/errors.ts';
import type { Parameter } from '../../query.ts';
import { CHECKPOINT_TYPE } from '../../schemas/checkpoints.ts';

export const checkpointType: Parameter<typeof CHECKPOINT_TYPE> = {
  schema: Type.Literal(CHECKPOINT_TYPE, { description: 'there is no other' }),
  read(value, name) {
    if (value === CHECKPOINT_TYPE) return value;
    throw new DomainError('InvalidRequest', [name, `must be ${CHECKPOINT_TYPE}`]);
  },
};
