// SPDX-License-Identifier: MIT
//
// A raw TCP server that behaves well for the handshake and the lists of MCP, and then lets a test
// decide, byte by byte, what each `tools/call` gets. It writes its own HTTP, so that it can break
// any rule of it.
import net from 'node:net';

const CRLF = '\r\n';
const TOOLS = [{ name: 'fast_echo', description: 'echo', inputSchema: { type: 'object' } }];

export function head(status, headers = {}) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}${CRLF}`);
  return `HTTP/1.1 ${status}${CRLF}${lines.join('')}${CRLF}`;
}

// A complete JSON answer.
export function jsonAnswer(message, status = '200 OK', headers = {}) {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return (
    head(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    }) + body
  );
}

export function chunk(text) {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
  return Buffer.concat([Buffer.from(bytes.length.toString(16) + CRLF), bytes, Buffer.from(CRLF)]);
}

export const LAST_CHUNK = `0${CRLF}${CRLF}`;
export const SSE_HEAD = head('200 OK', {
  'Content-Type': 'text/event-stream',
  'Transfer-Encoding': 'chunked',
});

export const result = (id, text = 'echo: hello') => ({
  jsonrpc: '2.0',
  id,
  result: { content: [{ type: 'text', text }] },
});

function answerOf(message) {
  switch (message.method) {
    case 'initialize':
      return jsonAnswer(
        {
          jsonrpc: '2.0',
          id: message.id,
          result: {
            protocolVersion: message.params.protocolVersion,
            capabilities: { tools: {} },
            serverInfo: { name: 'hostile', version: '1' },
          },
        },
        '200 OK',
        { 'Mcp-Session-Id': 'hostile-1' },
      );
    case 'tools/list':
      return jsonAnswer({ jsonrpc: '2.0', id: message.id, result: { tools: TOOLS } });
    case 'ping':
      return jsonAnswer({ jsonrpc: '2.0', id: message.id, result: {} });
    default:
      return head('202 Accepted', { 'Content-Length': 0 });
  }
}

// Takes complete requests out of what came in; the rest stays in `state.input`.
function* requests(state) {
  for (;;) {
    const end = state.input.indexOf(CRLF + CRLF);
    if (end < 0) {
      return;
    }
    const text = state.input.subarray(0, end).toString('latin1');
    const length = Number(text.match(/^content-length:\s*(\d+)/im)?.[1] ?? 0);
    if (state.input.length < end + 4 + length) {
      return;
    }
    const body = state.input.subarray(end + 4, end + 4 + length).toString('utf8');
    state.input = state.input.subarray(end + 4 + length);
    yield { method: text.split(' ', 1)[0], text, body };
  }
}

// Starts the server; `onCall(socket, message, n)` gets each tools/call, the n-th counted from 0.
// `onRequest(socket, request, message)`, if given, comes first and returns true when it answered.
// Returns {url, calls(), stop}. Stopped at the end of test `t`.
export async function startHostile(t, onCall, onRequest = () => false) {
  const sockets = new Set();
  let calls = 0;
  const server = net.createServer((socket) => {
    const state = { input: Buffer.alloc(0) };
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      state.input = Buffer.concat([state.input, bytes]);
      for (const request of requests(state)) {
        const message = request.body ? JSON.parse(request.body) : {};
        if (onRequest(socket, request, message)) {
          continue;
        }
        if (request.method === 'POST' && message.method === 'tools/call') {
          onCall(socket, message, calls++);
        } else if (request.method === 'POST') {
          socket.write(answerOf(message));
        } else {
          socket.write(
            head(request.method === 'DELETE' ? '200 OK' : '405 Method Not Allowed', { 'Content-Length': 0 }),
          );
        }
      }
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(
    () =>
      new Promise((done) => {
        for (const socket of sockets) {
          socket.destroy();
        }
        server.close(done);
      }),
  );
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, calls: () => calls };
}

// Writes pieces with a pause between them, until the other side is gone.
export function dribble(socket, pieces, ms) {
  const next = pieces[Symbol.iterator]();
  const step = () => {
    const { value, done } = next.next();
    if (!done && !socket.destroyed) {
      socket.write(value);
      setTimeout(step, ms);
    }
  };
  step();
}

// Writes one piece again and again, as fast as the other side takes it, at most `limit` bytes.
export function flood(socket, piece, limit) {
  let left = limit;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}
