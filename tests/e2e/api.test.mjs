// SPDX-License-Identifier: MIT
//
// The REST API on a real control plane without workers: the life of a run up to its start, and its events.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { binDir, finished, pause, rootDir, start, tempDir } from './lib/process.mjs';
import { startServer } from './lib/server.mjs';

const config = () => JSON.parse(readFileSync(join(rootDir, 'examples/quick-start.json'), 'utf8'));

// Reads frames of a stream until `enough` of them are there, or it ends; [{event, id, data}].
async function readEvents(response, enough = Infinity) {
  const frames = [];
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split('\n').filter((line) => !line.startsWith(':'));
      if (lines.length > 0) {
        const frame = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
        frames.push({ ...frame, data: JSON.parse(frame.data) });
      }
    }
    if (frames.length >= enough) {
      break;
    }
  }
  return frames;
}

const stream = (url, headers = {}) =>
  fetch(url, { headers, signal: AbortSignal.timeout(10_000) });

test('a run is made, found, copied, refused without workers, and deleted', async (t) => {
  const server = await startServer(t, tempDir());
  const invalid = await server.ask('POST', '/runs', { config: { ...config(), stages: [] } });
  assert.equal(invalid.status, 400);
  assert.equal(invalid.body.error_code, 'VALIDATION_FAILED');
  assert.ok(invalid.body.details.errors.some((error) => error.json_pointer.startsWith('/stages')));

  const made = await server.ask('POST', '/runs', { config: config(), actor: 'me', name: 'one', tags: { team: 'a' } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const id = made.body.run_id;
  assert.match(id, /^run_[0-9a-f]{20}$/);
  const bare = await server.ask('POST', '/runs', config());
  assert.equal(bare.status, 201);

  const view = await server.ask('GET', `/runs/${id}`);
  assert.equal(view.body.state, 'created');
  assert.equal(view.body.name, 'one');
  assert.equal(view.body.created_by, 'me');
  const ids = async (query) => (await server.ask('GET', `/runs?${query}`)).body.runs.map((run) => run.run_id);
  assert.deepEqual(await ids(''), [bare.body.run_id, id], 'the newest first');
  assert.deepEqual(await ids('order=asc'), [id, bare.body.run_id]);
  assert.deepEqual(await ids('tag=team:a'), [id]);
  assert.deepEqual(await ids('state=completed'), []);
  const page = (await server.ask('GET', '/runs?limit=1&offset=1')).body;
  assert.deepEqual([page.total, page.limit, page.offset, page.runs[0].run_id], [2, 1, 1, id]);

  const stored = await server.ask('GET', `/runs/${id}/config`);
  assert.deepEqual(stored.body, config());
  const effective = await server.ask('GET', `/runs/${id}/config?effective=true`);
  assert.ok(Object.keys(effective.body).length >= Object.keys(config()).length);

  const start = await server.ask('POST', `/runs/${id}/start`);
  assert.equal(start.status, 503);
  assert.equal(start.body.error_code, 'NO_CAPACITY');
  assert.equal(start.body.retryable, true);
  assert.equal((await server.ask('GET', `/runs/${id}`)).body.state, 'created');
  const stop = await server.ask('POST', `/runs/${id}/stop`, { mode: 'drain' });
  assert.deepEqual([stop.status, stop.body.error_code], [409, 'INVALID_STATE']);
  assert.equal(stop.body.details.run_id, id);
  assert.equal((await server.ask('GET', `/runs/${id}/result`)).status, 409);

  const copy = await server.ask('POST', `/runs/${id}/clone`, { overrides: { scenario_id: 'copied' } });
  assert.equal(copy.status, 201, JSON.stringify(copy.body));
  assert.equal((await server.ask('GET', `/runs/${copy.body.run_id}`)).body.scenario_id, 'copied');
  assert.equal((await server.ask('DELETE', `/runs/${copy.body.run_id}`)).status, 204);
  const gone = await server.ask('GET', `/runs/${copy.body.run_id}`);
  assert.deepEqual([gone.status, gone.body.error_code], [404, 'RUN_NOT_FOUND']);
  assert.equal((await ids('')).length, 2);
});

test('events are pushed, resumed, and outlive the process', async (t) => {
  const home = tempDir();
  const server = await startServer(t, home);
  const { run_id: id } = (await server.ask('POST', '/runs', config())).body;
  const path = `/runs/${id}/events`;
  const live = await stream(server.url + path);
  assert.match(live.headers.get('content-type'), /^text\/event-stream/);
  const pushed = readEvents(live, 2);
  await server.ask('POST', `/runs/${id}/start`); // no worker: ALLOCATION_FAILED
  const frames = await pushed;
  assert.deepEqual(
    frames.map((frame) => [frame.event, frame.data.type, frame.id === frame.data.event_id]),
    [['run_event', 'RUN_CREATED', true], ['run_event', 'ALLOCATION_FAILED', true]],
  );
  const rest = await readEvents(await stream(`${server.url}${path}?follow=false`, { 'last-event-id': frames[0].id }));
  assert.deepEqual(rest, frames.slice(1));
  const unknown = await stream(`${server.url}${path}?cursor=evt_00000000`);
  assert.equal(unknown.status, 400);
  const watched = readEvents(await stream(server.url + path));
  const folder = join(home, `.local/share/mcpdrill/server-${server.port}`);
  assert.equal((await server.ask('DELETE', `/runs/${id}`)).status, 204);
  assert.deepEqual(await watched, frames, 'a run that is deleted has no more events, and no end');

  const { run_id: kept } = (await server.ask('POST', '/runs', config())).body;
  const before = await readEvents(await stream(`${server.url}/runs/${kept}/events?follow=false`));
  assert.equal((await server.stop()).code, 0);
  const again = await startServer(t, home, ['--data-dir', folder]);
  const after = await readEvents(await stream(`${again.url}/runs/${kept}/events?follow=false`));
  assert.deepEqual(after.slice(0, before.length), before);
  assert.equal((await again.ask('GET', `/runs/${kept}`)).body.state, 'created');
});

// One second of load on the server's own mock.
const short = (url) => ({
  target: { url: `${url}/mcp` },
  workload: { operation_mix: [{ operation: 'tools_call', tool_name: 'fast_echo', arguments: { message: 'hi' }, weight: 1 }] },
  stages: [{ stage: 'baseline', duration_ms: 1000, load: { target_vus: 2 } }],
});

test('a run with a worker: what is answered is documented, its events end, its figures are the mock’s', async (t) => {
  const server = await startServer(t, tempDir());
  const worker = start(join(binDir, 'worker'), ['--control-plane', server.url], { timeoutMs: 60_000 });
  for (let tries = 0; (await server.ask('GET', '/workers')).body.workers.length === 0; tries++) {
    assert.ok(tries < 500, worker.stderr);
    await pause(20);
  }
  const { run_id: id } = (await server.ask('POST', '/runs', short(server.url))).body;
  const watched = stream(`${server.url}/runs/${id}/events`).then((answer) => readEvents(answer));
  const started = await server.ask('POST', `/runs/${id}/start`, { actor: 'me' });
  assert.equal(started.status, 200, JSON.stringify(started.body));
  assert.equal((await server.ask('GET', `/runs/${id}/result`)).status, 409);
  const frames = await watched;
  const end = frames.pop();
  assert.equal(end.event, 'end');
  assert.equal(end.data.state, 'completed');
  assert.equal(frames.at(-1).data.payload.to_state, 'completed');
  assert.equal(new Set(frames.map((frame) => frame.id)).size, frames.length);
  const behind = await stream(`${server.url}/runs/${id}/events`, { 'last-event-id': frames.at(-1).id });
  assert.equal(behind.status, 204);

  const { schemas } = (await server.ask('GET', '/openapi.json')).body.components;
  const documented = (shape, value) => {
    for (const member of Object.keys(value)) {
      assert.ok(member in schemas[shape].properties, `${shape}.${member} is not documented`);
    }
  };
  const view = (await server.ask('GET', `/runs/${id}`)).body;
  documented('RunView', view);
  documented('Worker', (await server.ask('GET', '/workers')).body.workers[0]);
  const metrics = (await server.ask('GET', `/runs/${id}/metrics?include_time_series=true`)).body;
  documented('Metrics', metrics);
  const result = (await server.ask('GET', `/runs/${id}/result`)).body;
  assert.equal(result.run_id, id);
  const stats = (await server.ask('GET', '/stats')).body;
  assert.equal(metrics.total_ops, stats.tools.fast_echo);
  assert.equal(view.summary.total_ops, stats.tools.fast_echo);
  const stop = await server.ask('POST', `/runs/${id}/stop`);
  assert.deepEqual([stop.status, stop.body.error_code], [409, 'TERMINAL_STATE']);

  worker.child.kill('SIGTERM');
  assert.equal((await finished(worker, 'worker')).code, 0);
});
