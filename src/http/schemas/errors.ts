/** The body of every refusal. Both pairs of members hold the same values: the client families read one pair each. */
import Type from 'typebox';

const CODE = '^DIS\\.\\d{4}$';

export const ErrorReply = Type.Object({
  errorCode: Type.String({ pattern: CODE }),
  message: Type.String(),
  error_code: Type.String({ pattern: CODE, description: 'the same as errorCode' }),
  error_msg: Type.String({ description: 'the same as message' }),
  error: Type.Optional(
    Type.Object(
      { code: Type.Integer(), message: Type.String(), title: Type.String() },
      { description: 'the form of IAM, beside the others in the calls that are IAM’s' },
    ),
  ),
});
