// SPDX-License-Identifier: MIT
//
// A cable between a worker and its control plane that can be pulled: bytes stay where they are, nobody is told.
import { once } from 'node:events';
import net from 'node:net';

// {url, pull(), plug()}; closed at the end of test `t`.
export async function startCable(t, port) {
  const sockets = new Set();
  let pulled = false;
  const tie = (from, to) => {
    sockets.add(from);
    from.on('data', (bytes) => to.write(bytes));
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => sockets.delete(from));
    if (pulled) {
      from.pause();
    }
  };
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    tie(near, far);
    tie(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    pull() {
      pulled = true;
      sockets.forEach((socket) => socket.pause());
    },
    plug() {
      pulled = false;
      sockets.forEach((socket) => socket.resume());
    },
  };
}
