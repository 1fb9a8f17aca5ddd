/**
 * The way between a node and something that it depends on, as a TCP port of the loopback that can be cut. While it is cut
 * nothing passes and nothing fails: connections are taken and never answered, as when a network drops packets.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

interface Place {
  readonly host: string;
  readonly port: number;
}

export interface NetworkLink {
  readonly port: number;
  cut(): void;
  /** `resume`: what was held up arrives; `forget`: connections made until now stay silent for ever, new ones pass. */
  mend(how: 'resume' | 'forget'): void;
  /** Leads new connections to somewhere else. */
  redirect(target: Place): void;
  close(): Promise<void>;
}

export async function openLink(place: Place): Promise<NetworkLink> {
  let target = place;
  const links = new Set<readonly [Socket, Socket]>();
  /** Of those that nobody will ever hear of again. */
  const silent = new Set<readonly [Socket, Socket]>();
  let isCut = false;

  const server = createServer((near) => {
    const far = connect(target);
    const pair = [near, far] as const;
    links.add(pair);
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => near.write(chunk));
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        for (const one of pair) one.destroy();
        links.delete(pair);
        silent.delete(pair);
      });
      if (isCut) socket.pause();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const pair of links) for (const socket of pair) socket.pause();
    },
    mend(how) {
      isCut = false;
      if (how === 'forget') {
        for (const pair of links) silent.add(pair);
        return links.clear();
      }
      for (const pair of links) for (const socket of pair) socket.resume();
    },
    redirect(next) {
      target = next;
    },
    async close() {
      server.close();
      for (const pair of [...links, ...silent]) for (const socket of pair) socket.destroy();
      await once(server, 'close');
    },
  };
}
