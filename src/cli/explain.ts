/** What the command line says of an error: one line for what an operator can mend, the stack of everything else. */
import { AccountError } from '../auth/accounts/account-error.ts';
import { FirstUserError } from '../auth/first-user.ts';
import { ConfigError } from '../config.ts';
import { DataDirectoryError } from '../data-directory.ts';
import { TlsCertificateError } from '../tls-certificate.ts';
import { RemoteError } from './remote-error.ts';

/** Errors whose message says what to do. */
const OPERATOR_ERRORS = [
  AccountError,
  ConfigError,
  DataDirectoryError,
  FirstUserError,
  RemoteError,
  TlsCertificateError,
];

export function explain(error: unknown): string {
  if (OPERATOR_ERRORS.some((kind) => error instanceof kind)) return (error as Error).message;
  const { code, syscall, address, port, message } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall === 'listen') {
    const where = `${address}:${port}`;
    return code === 'EADDRINUSE' ? `${where} is in use by another process` : `cannot listen on ${where}: ${message}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
