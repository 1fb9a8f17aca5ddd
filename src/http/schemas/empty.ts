/** The answer of an operation that has nothing to say but its status: no body at all. */
import Type from 'typebox';

export const Empty = Type.Null({ description: 'done; no body' });
