// SPDX-License-Identifier: MIT
//
// Our mock server, judged by the protocol's own client and by plain HTTP requests.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, mcpdrill } from './lib/mcpdrill.mjs';
import { getJson, startMock } from './lib/mock.mjs';
import { rootDir, tempDir } from './lib/process.mjs';

const sdk = join(rootDir, 'tests/e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/client');
const missing = existsSync(join(sdk, 'index.js'))
  ? false
  : "the protocol's own client is not installed (npm ci in tests/e2e)";

async function connect(t, url) {
  const { Client } = await import(join(sdk, 'index.js'));
  const { StreamableHTTPClientTransport } = await import(join(sdk, 'streamableHttp.js'));
  const client = new Client({ name: 'e2e', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  t.after(() => client.close());
  return { client, transport };
}

const ACCEPT = 'application/json, text/event-stream';

function rpc(url, message, headers = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: ACCEPT, ...headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
    signal: AbortSignal.timeout(5000),
  });
}

async function openSession(url) {
  const answer = await rpc(url, {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' } },
  });
  assert.equal(answer.status, 200);
  await answer.text();
  const id = answer.headers.get('mcp-session-id');
  assert.match(id, /^[\x21-\x7e]+$/);
  const session = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
  const accepted = await rpc(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  assert.equal(accepted.status, 202);
  assert.equal(await accepted.text(), '');
  return session;
}

for (const path of ['/mcp', '/']) {
  test(`the protocol's own client works with ${path}`, { skip: missing }, async (t) => {
    const mock = await startMock(t);
    const { client, transport } = await connect(t, `${mock.url}${path}`);
    const { tools } = await client.listTools();
    assert.equal(tools.length, 28);
    for (const tool of tools) {
      assert.equal(tool.inputSchema.type, 'object', tool.name);
      assert.ok(tool.description, tool.name);
    }
    const echo = await client.callTool({ name: 'fast_echo', arguments: { message: 'a "quote", \n and 😀' } });
    assert.equal(echo.content[0].text, 'echo: a "quote", \n and 😀');
    const failed = await client.callTool({ name: 'error_tool', arguments: {} });
    assert.equal(failed.isError, true);
    const { resources } = await client.listResources();
    assert.equal(resources.length, 3);
    for (const { uri } of resources) {
      assert.equal((await client.readResource({ uri })).contents[0].uri, uri);
    }
    const { prompts } = await client.listPrompts();
    assert.deepEqual(prompts.map((prompt) => prompt.name).sort(), ['code_review', 'summarize', 'translate']);
    const prompt = await client.getPrompt({ name: 'summarize', arguments: { text: 'words' } });
    assert.match(JSON.stringify(prompt.messages), /words/);
    assert.deepEqual(await client.ping(), {});
    await transport.terminateSession();
    await client.close();
    const stats = await mock.stats();
    assert.equal(stats.sessions_opened, 1);
    assert.equal(stats.sessions_deleted, 1);
    assert.equal(stats.sessions_open, 0);
    assert.equal(stats.requests['tools/call'], 2);
  });
}

test('mcpdrill mock is the mock server', async () => {
  const end = await mcpdrill(['mock', '--addr', ':0', '--max-seconds', '1']);
  assert.equal(end.code, 0);
  assert.match(end.stdout, /mockserver listening on http:/);
});

test("progress reaches the protocol's own client", { skip: missing }, async (t) => {
  const mock = await startMock(t);
  const { client } = await connect(t, `${mock.url}/mcp`);
  const seen = [];
  const result = await client.callTool(
    { name: 'streaming_tool', arguments: { chunks: 4, delay_ms: 20 } },
    undefined,
    { onprogress: (progress) => seen.push(progress.progress) },
  );
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.equal(result.content[0].text, 'stream complete');
});

test('notifications_subscribe: the first event at once, then one each interval, then the result', async (t) => {
  const mock = await startMock(t);
  const session = await openSession(`${mock.url}/mcp`);
  const began = performance.now();
  const answer = await rpc(
    `${mock.url}/mcp`,
    {
      jsonrpc: '2.0',
      id: 'own',
      method: 'tools/call',
      params: { name: 'notifications_subscribe', arguments: { event_count: 3, interval_ms: 500 } },
    },
    session,
  );
  assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
  const times = [];
  let text = '';
  for await (const bytes of answer.body) {
    const piece = Buffer.from(bytes).toString();
    for (let i = 0; i < piece.split('\n\n').length - 1; i++) {
      times.push(performance.now() - began);
    }
    text += piece;
  }
  const messages = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]));
  assert.equal(messages.length, 4);
  assert.ok(messages.slice(0, 3).every((message) => message.method && message.id === undefined));
  assert.equal(messages[3].id, 'own');
  assert.equal(messages[3].result.content[0].text, 'subscription complete: 3 events');
  // At once is not after an interval; the last one comes two intervals later and not three.
  assert.ok(times[0] < 450, `the first event after ${times[0]} ms`);
  assert.ok(times.at(-1) >= 990 && times.at(-1) < 1450, `the last one after ${times.at(-1)} ms`);
  const stats = await mock.stats();
  assert.equal(stats.events_sent, 4);
  assert.equal(stats.streams_open, 0);
});

test('GET /notifications/subscribe streams events; POST speaks MCP', async (t) => {
  const mock = await startMock(t);
  const url = `${mock.url}/notifications/subscribe`;
  const answer = await fetch(`${url}?event_count=3&interval_ms=10`, { signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  assert.equal([...text.matchAll(/^event: notification$/gm)].length, 3);
  assert.equal([...text.matchAll(/^event: complete$/gm)].length, 1);
  assert.equal((await fetch(`${url}?event_count=0`)).status, 400);
  await openSession(url);
});

test('sessions: DELETE ends one, then it is 404; a made-up one is 404 too', async (t) => {
  const mock = await startMock(t);
  const url = `${mock.url}/mcp`;
  const session = await openSession(url);
  const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
  assert.deepEqual((await (await rpc(url, ping, session)).json()).result, {});
  const gone = await fetch(url, { method: 'DELETE', headers: session });
  assert.ok(gone.ok);
  assert.equal((await rpc(url, ping, session)).status, 404);
  assert.equal((await rpc(url, ping, { ...session, 'mcp-session-id': 'nobody' })).status, 404);
});

test('the statuses of the protocol', async (t) => {
  const mock = await startMock(t);
  const url = `${mock.url}/mcp`;
  const session = await openSession(url);
  const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
  assert.equal((await rpc(url, '{"broken', session)).status, 400);
  assert.equal((await rpc(url, ping, { ...session, 'mcp-protocol-version': '1999-01-01' })).status, 400);
  assert.equal((await rpc(url, ping, { ...session, accept: 'text/plain' })).status, 406);
  const put = await fetch(url, { method: 'PUT', body: '{}' });
  assert.equal(put.status, 405);
  assert.match(put.headers.get('allow'), /POST/);
  assert.equal((await fetch(`${mock.url}/nowhere`)).status, 404);
  const unknown = await (await rpc(url, { jsonrpc: '2.0', id: 3, method: 'no/such' }, session)).json();
  assert.equal(unknown.error.code, -32601);
  assert.equal(unknown.id, 3);
  const stream = await fetch(url, {
    headers: { ...session, accept: 'text/event-stream' },
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(stream.status, 200);
  await stream.body.cancel();
});

test('faults can be read, set and taken back while it runs', async (t) => {
  const mock = await startMock(t);
  const url = `${mock.url}/mcp`;
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
  const before = await getJson(`${mock.url}/faults`);
  assert.equal(typeof before, 'object');
  await mock.faults({ http_500: 1 });
  assert.equal((await rpc(url, list)).status, 500);
  await mock.faults({ http_500: 0 });
  assert.equal((await rpc(url, list)).status, 200);
  const wrong = await fetch(`${mock.url}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"no_such_fault": 1}',
  });
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /no_such_fault/);
});

test('POST /stats/reset begins to count anew', async (t) => {
  const mock = await startMock(t);
  await openSession(`${mock.url}/mcp`);
  assert.equal((await mock.stats()).requests.initialize, 1);
  await mock.reset();
  assert.equal((await mock.stats()).requests.initialize ?? 0, 0);
});

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(({ address }) => address === '::1');

for (const [family, host, missing] of [
  ['IPv4', '127.0.0.1', false],
  ['IPv6', '[::1]', !hasIpv6 && 'no ::1 on this machine'],
]) {
  test(`a port of :PORT answers on ${family}`, { skip: missing }, async (t) => {
    const mock = await startMock(t, ['--addr', ':0']);
    const { port } = new URL(mock.url);
    assert.equal(typeof (await getJson(`http://${host}:${port}/stats`)).connections_opened, 'number');
  });
}

// Our own client, for the name: other programs ask /etc/hosts for it, where a bare machine may not have it.
test('a port of :PORT answers by the name localhost', async (t) => {
  const mock = await startMock(t, ['--addr', ':0']);
  const { port } = new URL(mock.url);
  const json = join(tempDir(), 'result.json');
  const args = ['--url', `http://localhost:${port}`, '--operation', 'ping', '--duration', '1s'];
  const end = await mcpdrill(['run', ...args, '--think', '10ms', '--json', json]);
  const result = JSON.parse(readFileSync(json, 'utf8'));
  assertRan({ ...end, result, said: end.stdout + end.stderr });
  assert.equal((await mock.stats()).requests.ping, result.totals.operations_total);
});
