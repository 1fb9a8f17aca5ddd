/** A command that a running server could not be asked, or refused; the message says which, and what to do if anything. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
}
