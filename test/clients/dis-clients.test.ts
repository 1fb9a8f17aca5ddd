/**
 * The real DIS clients, unmodified, in every form they can speak, over plain HTTP and over TLS, each against a server of
 * its own. A program in the client's language takes the steps; here each step is a test.
 */
import { describe } from 'node:test';
import { PROGRAMS } from './programs.ts';
import { testProgram } from './test-program.ts';

const TRANSPORTS = ['http', 'tls'] as const;

describe('real clients', { concurrency: 2 }, () => {
  for (const program of PROGRAMS) for (const transport of TRANSPORTS) testProgram(program, transport);
});
