// SPDX-License-Identifier: MIT
//
// `worker` as processes, towards a control plane that this file plays: registration, orders over the
// stream, reports that are acknowledged, signals.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { baseline } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { binDir, finished, pause, start } from './lib/process.mjs';

const REPORTS = ['', 'ready', 'rejected', 'checks', 'window', 'drained', 'totals'];
const nowNs = () => process.hrtime.bigint();

function varint(bytes, at) {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * shift;
    if (byte < 128) {
      return [value, at];
    }
  }
}

// The heads of report frames: {kind, seq, runId}.
function reportsOf(body) {
  const reports = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 4 + body.readUInt32LE(at);
    const [seq, behind] = varint(body, at + 6);
    const idEnd = behind + 1 + body[behind];
    reports.push({ kind: REPORTS[body[at + 5]], seq, runId: body.toString('latin1', behind + 1, idEnd) });
    at = end;
  }
  return reports;
}

async function controlPlane(t) {
  const plane = { hellos: [], streams: new Map(), reports: [], beats: 0, sent: 0 };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const [, id, what] = request.url.match(/^\/workers\/([^/]+)(?:\/(\w+))?$/) ?? [];
    const json = (status, value) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    if (id === 'register') {
      plane.hellos.push(JSON.parse(body));
      json(201, { worker_id: `wkr_${String(plane.hellos.length).padStart(16, '0')}`, worker_token: 'secret', now_ns: Number(nowNs()) });
    } else if (request.headers['x-worker-token'] !== 'secret') {
      json(401, {});
    } else if (what === 'commands') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(':keepalive\n\n');
      plane.streams.set(id, response);
    } else if (what === 'heartbeat') {
      plane.beats++;
      json(200, { ok: true, stop_run_ids: [], sent_ns: JSON.parse(body).sent_ns, now_ns: Number(nowNs()) });
    } else {
      const reports = reportsOf(body);
      plane.reports.push(...reports);
      json(200, { acked: reports.map(({ runId, seq }) => ({ run_id: runId, seq })) });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  plane.url = `http://127.0.0.1:${server.address().port}`;
  plane.order = (order) => {
    const data = JSON.stringify({ run_id: 'run_0000000000000001', n: ++plane.sent, ...order });
    for (const stream of plane.streams.values()) {
      stream.write(`event: order\ndata: ${data}\n\n`);
    }
  };
  plane.until = async (what, condition) => {
    for (let i = 0; !condition(); i++) {
      assert.ok(i < 500, `in vain: ${what}`);
      await pause(20);
    }
  };
  return plane;
}

const startWorker = (plane, ...args) => start(join(binDir, 'worker'), ['--control-plane', plane.url, ...args]);
const count = (plane, kind) => plane.reports.filter((report) => report.kind === kind).length;

test('a worker registers, plays its part of a run, and tells everything once', async (t) => {
  const mock = await startMock(t);
  const plane = await controlPlane(t);
  const worker = startWorker(plane, '--max-vus', '7', '--label', 'region=eu', '--threads', '2');
  await plane.until('a stream', () => plane.streams.size === 1);
  assert.match(worker.stdout, /^Worker registered: wkr_0000000000000001$/m);
  const [hello] = plane.hellos;
  assert.equal(hello.capacity.max_vus, 7);
  assert.equal(hello.capacity.cores, 2);
  assert.deepEqual(hello.labels, { region: 'eu' });

  const scenario = baseline({ url: mock.url, vus: 4, ms: 1000, workload: { think_time: { mode: 'fixed', base_ms: 10 } } });
  plane.order({ order: 'assign', execution_id: 'exe_00000001', worker_id: 'wkr_00000001', scenario, seed: 0, base: 0, shards: 2, total: 2, log: false, network: 'local' });
  await plane.until('READY', () => count(plane, 'ready') === 1);
  plane.order({ order: 'check', lists: true });
  await plane.until('CHECKS', () => count(plane, 'checks') === 1);
  const begin = Number(nowNs()) + 20e6;
  plane.order({ order: 'stage', stage: 0, grid_ns: begin, start_ns: begin, end_ns: begin + 1e9 });
  await plane.until('windows', () => count(plane, 'window') >= 2);
  plane.order({ order: 'drain', natural: true });
  await plane.until('TOTALS', () => count(plane, 'totals') === 1);
  plane.order({ order: 'release' });

  assert.equal(count(plane, 'drained'), 2);
  assert.equal(plane.reports.at(-1).kind, 'totals');
  assert.deepEqual(plane.reports.map(({ seq }) => seq), plane.reports.map((_, i) => i + 1));
  const stats = await mock.stats();
  assert.ok(stats.requests['tools/call'] > 50, JSON.stringify(stats.requests));
  assert.equal(stats.sessions_deleted, stats.sessions_opened);
  worker.child.kill('SIGTERM');
  assert.equal((await finished(worker, 'worker')).code, 0);
});

test('a signal finishes what runs, a second one ends it at once', async (t) => {
  const mock = await startMock(t);
  for (const signals of [1, 2]) {
    const plane = await controlPlane(t);
    const worker = startWorker(plane);
    await plane.until('a stream', () => plane.streams.size === 1);
    // Streams of two seconds, that a second signal does not wait for.
    const scenario = baseline({ url: mock.url, vus: 2, ms: 60000, tool: 'notifications_subscribe', toolArguments: { event_count: 20, interval_ms: 100 }, streaming: true });
    plane.order({ order: 'assign', execution_id: 'exe_00000001', worker_id: 'wkr_00000001', scenario, seed: 0, base: 0, shards: 1, total: 1, log: false, network: 'local' });
    await plane.until('READY', () => count(plane, 'ready') === 1);
    const begin = Number(nowNs()) + 20e6;
    plane.order({ order: 'stage', stage: 0, grid_ns: begin, start_ns: begin, end_ns: begin + 60e9 });
    await plane.until('a window', () => count(plane, 'window') >= 1);
    worker.child.kill('SIGTERM');
    await plane.until('a word about it', () => worker.stderr.includes('finishing what runs'));
    if (signals === 2) {
      worker.child.kill('SIGTERM');
    }
    const end = await finished(worker, 'worker');
    assert.equal(end.code, signals === 1 ? 0 : 143);
    assert.equal(count(plane, 'totals'), signals === 1 ? 1 : 0);
  }
});

test('several processes are several workers, and end together', async (t) => {
  const plane = await controlPlane(t);
  const worker = startWorker(plane, '--procs', '3');
  await plane.until('three streams', () => plane.streams.size === 3);
  const pids = plane.hellos.map((hello) => hello.pid);
  assert.equal(new Set([...pids, worker.pid]).size, 4);
  await plane.until('three lines', () => worker.stdout.match(/^Worker registered: wkr_/gm)?.length === 3);
  process.kill(pids[1], 'SIGKILL');
  await plane.until('a word about it', () => worker.stderr.includes(`process ${pids[1]} has ended with signal 9`));
  worker.child.kill('SIGINT');
  assert.equal((await finished(worker, 'worker --procs')).code, 1); // one was lost
  for (const pid of pids) {
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  }
});

test('children of a parent that is killed do not stay', async (t) => {
  const plane = await controlPlane(t);
  const worker = startWorker(plane, '--procs', '2');
  await plane.until('two streams', () => plane.streams.size === 2);
  worker.child.kill('SIGKILL');
  await worker.ended;
  for (const { pid } of plane.hellos) {
    await plane.until('its end', () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
  }
});

test('options from the environment, and those that are refused', async (t) => {
  const plane = await controlPlane(t);
  const worker = start(join(binDir, 'worker'), [], {
    env: { MCPDRILL_CONTROL_PLANE: plane.url, MCPDRILL_MAX_VUS: '9', MCPDRILL_LABEL: 'a=1\nb=2' },
  });
  await plane.until('a stream', () => plane.streams.size === 1);
  assert.equal(plane.hellos[0].capacity.max_vus, 9);
  assert.deepEqual(plane.hellos[0].labels, { a: '1', b: '2' });
  worker.child.kill('SIGINT');
  assert.equal((await finished(worker, 'worker')).code, 0);
  for (const [args, text] of [
    [['--api-key', 'k'], /--api-key comes with credentials/],
    [['--tls-ca-file', 'f'], /--tls-ca-file comes with credentials/],
    [['--worker-id', 'me'], /wkr_ and 8 to 60 digits/],
    [['--label', 'region'], /KEY=VALUE is expected/],
    [['--heartbeat-interval', '1m'], /a time from 100ms to 3s is expected/],
    [['--allow-private-networks', '10.0.0.0/8,here'], /here: at most 64 blocks/],
    [['--control-plane', 'nowhere'], /--control-plane nowhere: /],
    [['--pipe'], /another program starts/],
  ]) {
    const end = await finished(startWorker(plane, ...args), `worker ${args}`);
    assert.equal(end.code, 2);
    assert.match(end.stderr, text);
  }
});
