// SPDX-License-Identifier: MIT
//
// A run that cannot do its job says why, says what to do, and ends with exit code 5; it never ends
// as a success with no operations.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { assertRan, run } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { jsonAnswer, startHostile } from './lib/hostile.mjs';

function withPreflight(url, extra = {}) {
  return {
    target: { url, timeouts: { connect_timeout_ms: 1000, request_timeout_ms: 1000 }, ...extra.target },
    workload: {
      tools: { templates: [{ tool_name: extra.tool ?? 'fast_echo', arguments: { message: 'x' } }] },
    },
    stages: [
      { stage: 'preflight', duration_ms: 1000, load: { target_vus: 1 } },
      { stage: 'baseline', duration_ms: 30_000, load: { target_vus: 2 } },
    ],
  };
}

async function failsWith(scenario, pattern) {
  const end = await run(scenario, { timeoutMs: 60_000 });
  assert.equal(end.code, 5, end.said);
  assert.match(end.said, pattern);
  assert.doesNotMatch(end.said, /\b0 errors\b/i);
  assert.doesNotMatch(end.said, /\bpassed\b.*\n.*\bfast_echo\b/i);
  assert.equal(end.result.state, 'failed');
  assert.notEqual(end.result.verdict, 'passed');
  assert.equal(end.result.exit_code, 5);
  assert.match(end.result.stop.kind, /preflight_failed/);
  assert.ok(end.seconds < 15, `it took ${end.seconds} s: no later stage may start`);
  assert.ok(end.result.stages.every((one) => one.stage === 'preflight' || one.totals.operations_total === 0));
  return end;
}

function serveHttp(t, handler) {
  const server = http.createServer(handler);
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      t.after(() => {
        server.closeAllConnections?.();
        return new Promise((closed) => server.close(closed));
      });
      done(`http://127.0.0.1:${server.address().port}`);
    });
  });
}

async function deadPort() {
  const server = net.createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

test('a good target passes', async (t) => {
  const mock = await startMock(t);
  const end = await run(withPreflight(mock.url), { args: ['--set', 'stages[1].duration_ms=1000'] });
  assertRan(end);
  assert.equal(end.result.state, 'completed');
});

test('a dead port: refused, and where', async () => {
  const port = await deadPort();
  const end = await failsWith(withPreflight(`http://127.0.0.1:${port}/mcp`), /refused/i);
  assert.match(end.said, new RegExp(`127\\.0\\.0\\.1:${port}`));
});

test('a dead port by the name localhost', async () => {
  await failsWith(withPreflight(`http://localhost:${await deadPort()}/mcp`), /refused/i);
});

test('a name that does not resolve', async () => {
  await failsWith(withPreflight('http://no-such-host.invalid/mcp'), /no-such-host\.invalid/);
});

test('a web server that answers everything with a page', async (t) => {
  const url = await serveHttp(t, (request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>hello</title>');
  });
  await failsWith(withPreflight(url), /text\/html/);
});

test('a server whose path is another', async (t) => {
  const url = await serveHttp(t, (request, response) => {
    response.statusCode = 404;
    response.end('not found');
  });
  await failsWith(withPreflight(`${url}/mcp`), /404/);
});

test('a JSON API that is no MCP server', async (t) => {
  const url = await serveHttp(t, (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"hello": "world"}');
  });
  await failsWith(withPreflight(url), /JSON-RPC|MCP/);
});

test('a server that wants credentials', async (t) => {
  const url = await serveHttp(t, (request, response) => {
    response.statusCode = 401;
    response.setHeader('www-authenticate', 'Bearer');
    response.end();
  });
  await failsWith(withPreflight(url), /401/);
});

test('a server that is broken', async (t) => {
  const url = await serveHttp(t, (request, response) => {
    response.statusCode = 500;
    response.end('oops');
  });
  await failsWith(withPreflight(url), /HTTP_5|500/);
});

test('a server that refuses initialize by a JSON-RPC error', async (t) => {
  const server = await startHostile(
    t,
    () => {},
    (socket, request, message) => {
      if (message.method === 'initialize') {
        socket.write(
          jsonAnswer({ jsonrpc: '2.0', id: message.id, error: { code: -32602, message: 'we are closed' } }),
        );
        return true;
      }
      return false;
    },
  );
  await failsWith(withPreflight(server.url), /we are closed/);
});

test('a server that speaks another protocol version', async (t) => {
  const server = await startHostile(
    t,
    () => {},
    (socket, request, message) => {
      if (message.method === 'initialize') {
        const result = {
          protocolVersion: '1999-01-01',
          capabilities: { tools: {} },
          serverInfo: { name: 'old', version: '0' },
        };
        socket.write(jsonAnswer({ jsonrpc: '2.0', id: message.id, result }));
        return true;
      }
      return false;
    },
  );
  await failsWith(withPreflight(server.url), /1999-01-01/);
});

test('a server that accepts and never answers', async (t) => {
  const server = net.createServer((socket) => socket.on('error', () => {}));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  await failsWith(withPreflight(`http://127.0.0.1:${server.address().port}/mcp`), /time|answer/i);
});

test('a server that closes each connection at once', async (t) => {
  const server = net.createServer((socket) => socket.on('error', () => {}).end());
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  await failsWith(withPreflight(`http://127.0.0.1:${server.address().port}/mcp`), /clos/i);
});

test('a server that speaks no HTTP', async (t) => {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  await failsWith(withPreflight(`http://127.0.0.1:${server.address().port}/mcp`), /HTTP/);
});

test('a wrong tool name: the nearest one is named', async (t) => {
  const mock = await startMock(t);
  const end = await failsWith(withPreflight(mock.url, { tool: 'fast_ehco' }), /fast_ehco/);
  assert.match(end.said, /fast_echo/);
  const stats = await mock.stats();
  assert.equal(stats.requests['tools/call'] ?? 0, 0, 'nothing was called');
});

test('a wrong prompt name', async (t) => {
  const mock = await startMock(t);
  const scenario = withPreflight(mock.url);
  scenario.workload = {
    operation_mix: [{ operation: 'prompts_get', prompt_name: 'sumarize', arguments: { text: 'x' } }],
  };
  const end = await failsWith(scenario, /sumarize/);
  assert.match(end.said, /summarize/);
});

test('without a preflight stage a dead target is no success either', async () => {
  const end = await run({
    target: { url: `http://127.0.0.1:${await deadPort()}/mcp` },
    stages: [{ stage: 'baseline', duration_ms: 1000, load: { target_vus: 2 } }],
  });
  assert.notEqual(end.code, 0, end.said);
  assert.match(end.said, /refused/i);
  assert.ok(end.result.totals.operations_failed > 0 || end.result.state === 'failed', end.said);
});
