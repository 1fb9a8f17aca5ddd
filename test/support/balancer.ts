/**
 * What stands in front of a cluster: each connection goes to the next server that can be reached, and what flows over it is
 * not looked at, so that TLS and broken requests arrive as they were sent.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Balancer {
  readonly port: number;
  /** Ports that connections may go to from now on. Those that are open stay where they are. */
  direct(ports: readonly number[]): void;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startBalancer(): Promise<Balancer> {
  let ports: readonly number[] = [];
  let turn = 0;
  const open = new Set<Socket>();

  const server = createServer({ pauseOnConnect: true }, (incoming) => {
    keep(incoming);
    forward(incoming, ports.length);
  });
  server.listen(0, HOST);
  await once(server, 'listening');

  /** Joins `incoming` to the next server, or to the one after it when that one does not answer, `tries` times. */
  function forward(incoming: Socket, tries: number): void {
    const port = ports[turn++ % ports.length];
    if (port === undefined || tries === 0) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(port, HOST);
    keep(outgoing);
    const refused = () => forward(incoming, tries - 1);
    outgoing.once('error', refused);
    outgoing.once('connect', () => {
      outgoing.off('error', refused);
      for (const [one, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
        one.pipe(other);
      }
    });
  }

  function keep(socket: Socket): void {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // Until it is joined to another: whoever hangs up then has nobody to tell.
    socket.on('error', () => socket.destroy());
  }

  return {
    port: (server.address() as AddressInfo).port,
    direct: (others) => {
      ports = others;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
