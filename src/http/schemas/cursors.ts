/** The answer of a cursor request. */
import Type from 'typebox';

export const CursorReply = Type.Object({
  partition_cursor: Type.String({ minLength: 1, maxLength: 512, description: 'valid for five minutes' }),
});
