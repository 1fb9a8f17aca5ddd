/** An account, user, project or key cannot be as somebody wants it; the message says why in one line. */
export class AccountError extends Error {
  override readonly name = 'AccountError';
}
