/**
 * Connections to PostgreSQL that cannot do harm when they break: in use they are told by the statement that fails, unused by
 * `onError`; and one over which nothing has come or gone for `silenceMs` is closed, whatever the network makes of it. (The
 * driver's own limit for a query gives up the query and keeps the connection, which goes on waiting for its answer.)
 */
import { Socket } from 'node:net';
import { Pool, type ClientConfig, type PoolConfig } from 'pg';

export function openPool(config: PoolConfig, silenceMs: number, onError: (error: Error) => void): Pool {
  const pool = new Pool({ ...config, ...notSilentFor(silenceMs) });
  // The pool listens to a connection only while nobody has it; without a listener its error would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  pool.on('error', () => {}); // Told by the connection.
  return pool;
}

/** Of a connection that is closed when nothing has come or gone over it for `ms`. */
export function notSilentFor(ms: number): Pick<ClientConfig, 'stream'> {
  return {
    stream: () => {
      const socket = new Socket();
      socket.setTimeout(ms, () => {
        const error = new Error(`PostgreSQL has not answered for ${ms} ms`);
        socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
      });
      return socket;
    },
  };
}
