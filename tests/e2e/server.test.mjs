// SPDX-License-Identifier: MIT
//
// The control plane as a program: where it listens, what it keeps for itself, the mock beside it, its end.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { binDir, finished, pause, start, tempDir } from './lib/process.mjs';
import { startMock } from './lib/mock.mjs';
import { startServer } from './lib/server.mjs';

const program = join(binDir, 'server');
const run = (path, args) => finished(start(path, args), 'server');
const get = (url, options = {}) => fetch(url, { signal: AbortSignal.timeout(5000), ...options });
const hasIpv6 = networkInterfaces().lo?.some((entry) => entry.family === 'IPv6');

test('two servers of one user: ports, folders, the mock beside the API', async (t) => {
  const home = tempDir();
  const [first, second] = [await startServer(t, home), await startServer(t, home, ['--no-mock'])];
  for (const server of [first, second]) {
    assert.deepEqual(await (await get(`${server.url}/healthz`)).json(), { status: 'ok' });
    assert.deepEqual(await (await get(`${server.url}/readyz`)).json(), { status: 'ready', ready: true });
    assert.ok(existsSync(join(home, `.local/share/mcpdrill/server-${server.port}`)));
    assert.ok(server.running.stdout.includes(`Data: ${home}/.local/share/mcpdrill/server-${server.port}\n`));
  }
  if (hasIpv6) {
    assert.equal((await get(`http://[::1]:${first.port}/healthz`)).status, 200);
  }
  const ping = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  };
  for (const path of ['/', '/mcp', '/notifications/subscribe']) {
    const answer = await get(first.url + path, ping);
    assert.equal(answer.status, 200);
    assert.deepEqual((await answer.json()).result, {});
  }
  assert.equal((await (await get(`${first.url}/stats`)).json()).requests.ping, 3);
  assert.equal((await get(`${second.url}/mcp`, ping)).status, 404);
  assert.deepEqual((await (await get(`${first.url}/runs`)).json()).runs, []);
});

test('what a server has is its own: port and folder', async (t) => {
  const home = tempDir();
  const server = await startServer(t, home);
  const port = await run(program, ['--addr', `:${server.port}`, '--data-dir', join(home, 'other')]);
  assert.equal(port.code, 1);
  assert.match(port.stderr, /Address already in use; another program has the port/);
  assert.ok(!existsSync(join(home, 'other')), 'it has not touched the folder');
  const folder = join(home, `.local/share/mcpdrill/server-${server.port}`);
  const data = await run(program, ['--addr', ':0', '--data-dir', folder]);
  assert.equal(data.code, 1);
  assert.ok(data.stderr.includes(`${folder} is in use by process ${server.running.pid}`), data.stderr);
});

test('nobody else reaches it, unless that was asked for', async (t) => {
  const refused = await run(program, ['--addr', '0.0.0.0:0', '--data-dir', tempDir()]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /no credentials yet.*--insecure/);
  const keys = await run(program, ['--addr', ':0', '--api-keys', 'k', '--enable-agent-ingest']);
  assert.equal(keys.code, 2);
  assert.equal(keys.stderr.trim().split('\n').length, 2, keys.stderr);
  const server = await startServer(t, tempDir());
  const foreign = await get(`${server.url}/runs`, { headers: { origin: 'http://page.example' } });
  assert.equal(foreign.status, 403);
  assert.equal((await foreign.json()).error_code, 'ORIGIN_NOT_ALLOWED');
});

test('a signal ends it in order, with streams open, and its folder can be used again', async (t) => {
  const home = tempDir();
  const server = await startServer(t, home);
  const stream = await get(`${server.url}/notifications/subscribe?event_count=1000&interval_ms=50`);
  const reader = stream.body.getReader();
  await reader.read();
  const began = performance.now();
  const end = await server.stop();
  assert.equal(end.code, 0, end.stderr);
  assert.ok(performance.now() - began < 5000);
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, 'the stream breaks off');
  const folder = join(home, `.local/share/mcpdrill/server-${server.port}`);
  const again = await startServer(t, home, ['--data-dir', folder]);
  assert.equal((await again.stop('SIGINT')).code, 0);
});

// Scripts look at the first line. What was going on when it ended is told behind it.
test('the first line says where it listens, also when runs go on', async (t) => {
  const [home, mock] = [tempDir(), await startMock(t)];
  const server = await startServer(t, home);
  const worker = start(join(binDir, 'worker'), ['--control-plane', server.url]);
  t.after(() => worker.child.kill('SIGKILL'));
  const config = {
    target: { url: `${mock.url}/mcp` },
    workload: { operation_mix: [{ operation: 'ping', weight: 1 }] },
    stages: [{ stage: 'soak', duration_ms: 60_000, load: { target_vus: 1, target_rps: 20 } }],
  };
  const { run_id: id } = (await server.ask('POST', '/runs', { config })).body;
  let begun;
  for (let tries = 0; tries < 100 && begun?.status !== 200; tries++) {
    begun = await server.ask('POST', `/runs/${id}/start`);
    await pause(50);
  }
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  await server.stop();
  const folder = join(home, `.local/share/mcpdrill/server-${server.port}`);
  const again = await startServer(t, home, ['--data-dir', folder]);
  for (let tries = 0; tries < 100 && !again.running.stdout.includes('Run goes on'); tries++) {
    await pause(50);
  }
  assert.match(again.running.stdout, new RegExp(`^MCP Drill control plane listening on .*\\n[^]*Run goes on: ${id} `));
  assert.equal((await again.ask('POST', `/runs/${id}/emergency-stop`)).status, 200);
});

// A shell sets the limit: files of the server may have 400 KiB, as on a disk that is full.
test('a disk that is full ends it with a word, and nobody waits for an answer', async () => {
  const folder = tempDir();
  const line = `trap '' XFSZ; ulimit -f 400; exec "${program}" --addr :0 --data-dir "${folder}/data"`;
  const running = start('/bin/bash', ['-c', line], { timeoutMs: 60_000 });
  const end = finished(running, 'server');
  for (let waited = 0; waited < 20_000 && !/^Data: /m.test(running.stdout); waited += 20) {
    await pause(20);
  }
  const url = running.stdout.match(/listening on (http:\S+)/)[1];
  const scenario = { target: { url: `${url}/mcp` }, stages: [{ duration_ms: 1000 }] };
  const body = JSON.stringify({ config: scenario, tags: { filling: 'x'.repeat(150) }, files: { 'a.csv': 'x'.repeat(60_000) } });
  let status = 201;
  for (let i = 0; i < 100 && status === 201; i++) {
    const answer = await get(`${url}/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    status = answer.status;
  }
  assert.equal(status, 500);
  const { code, stderr } = await end;
  assert.equal(code, 1);
  assert.match(stderr, /^server: the store cannot be written: /m);
  const again = await startServer({ after: () => {} }, folder, ['--data-dir', `${folder}/data`]);
  const { body: list } = await again.ask('GET', '/runs');
  assert.ok(list.total > 0, 'what was answered is there');
  assert.equal((await again.stop()).code, 0);
});
