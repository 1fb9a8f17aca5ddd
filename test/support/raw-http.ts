/** HTTP as bytes on a socket, for what no client library lets one send. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export async function openSocket(baseUrl: string): Promise<Socket> {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

/** Everything that arrives on a socket until the other side closes it. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'close');
  return text;
}

/** Sends bytes and reads until the server closes the connection; with `hangUp`, closes it without waiting. */
export async function exchange(
  baseUrl: string,
  bytes: string,
  { hangUp = false }: { readonly hangUp?: boolean } = {},
): Promise<string> {
  const socket = await openSocket(baseUrl);
  if (hangUp) {
    socket.end(bytes);
    socket.destroySoon();
    return '';
  }
  socket.write(bytes);
  return await readToEnd(socket);
}
