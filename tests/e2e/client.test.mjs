// SPDX-License-Identifier: MIT
//
// The words that are clients of a control plane, against a small one that answers as the API does and remembers
// what it was asked.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mcpdrill, startMcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { finished, pause, tempDir } from './lib/process.mjs';

const ID = 'run_18ea4bd1a75e64f10001';
const OTHER = 'run_18ea4bd1a75e64f20002';
const SCENARIO = {
  target: { url: 'http://localhost:9000' },
  stages: [{ stage: 'baseline', duration_ms: 1000, load: { target_vus: 1 } }],
};

let server;
let url;
let asked; // {method, path, headers, body} of all requests
let answers; // what the next requests to 'METHOD path' get instead, in order

const json = (res, status, value) => {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(value));
};
const fail = (res, status, error_code, error_message, details) =>
  json(res, status, { error_type: 'x', error_code, error_message, retryable: false, details });
const view = (run_id, more = {}) => ({
  run_id,
  state: 'created',
  terminal: false,
  scenario_id: 'demo',
  created_at_ms: 1795328929378,
  ...more,
});
const event = (n, type, payload) =>
  `event: run_event\nid: evt_${n}\ndata: ${JSON.stringify({ event_id: `evt_${n}`, ts_ms: 1795328929378 + n, type, payload })}\n\n`;
const EVENTS = [
  event(1, 'RUN_CREATED', { scenario_id: 'demo', actor: 'user' }),
  event(2, 'STATE_TRANSITION', { from_state: 'created', to_state: 'baseline_running', trigger: 'start_run' }),
  event(3, 'STATE_TRANSITION', { from_state: 'analyzing', to_state: 'completed', trigger: 'analysis_completed' }),
];
const END = `event: end\ndata: ${JSON.stringify({ run_id: ID, state: 'completed' })}\n\n`;

const streamOf = (res, texts) => {
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  for (const text of texts) {
    res.write(text);
  }
};

const routes = {
  'GET /runs': (res, { query }) => {
    const runs = [view(OTHER), view(ID)].filter((run) => run.run_id.includes(query.get('q') ?? ''));
    json(res, 200, { runs: runs.slice(0, Number(query.get('limit'))), total: 2, limit: 100, offset: 0 });
  },
  'POST /runs': (res) => json(res, 201, { run_id: ID, warnings: [] }),
  [`GET /runs/${ID}`]: (res) => json(res, 200, view(ID)),
  [`GET /runs/${OTHER}`]: (res) => json(res, 200, view(OTHER)),
  [`POST /runs/${ID}/start`]: (res) => json(res, 200, { run_id: ID, state: 'baseline_running' }),
  [`POST /runs/${ID}/stop`]: (res) => json(res, 200, { run_id: ID, state: 'stopping' }),
  [`POST /runs/${ID}/emergency-stop`]: (res) => json(res, 200, { run_id: ID, state: 'stopping' }),
  [`POST /runs/${ID}/clone`]: (res) => json(res, 201, { run_id: OTHER }),
  [`GET /runs/${ID}/config`]: (res) => json(res, 200, { scenario_id: 'demo', ...SCENARIO }),
  [`DELETE /runs/${ID}`]: (res) => res.writeHead(204).end(),
  [`GET /runs/${ID}/events`]: (res, { headers, query }) => {
    const last = Number((headers['last-event-id'] ?? 'evt_0').slice(4));
    streamOf(res, [...EVENTS.slice(last), ...(query.get('follow') === 'false' ? [] : [END])]);
    res.end();
  },
  [`GET /runs/${ID}/result`]: (res) =>
    json(res, 200, {
      schema_version: 'result/v1',
      run_id: ID,
      state: 'completed',
      verdict: 'failed',
      exit_code: 4,
      validity: { state: 'valid', evidence: [] },
      stop: { kind: 'completed', reason: 'completed', sentence: 'The plan has ended.' },
      totals: {},
      stages: [],
      operations: [],
      errors: [],
      integrity: { line: 'books balance' },
    }),
  'GET /workers': (res) =>
    json(res, 200, { workers: [{ worker_id: 'wkr_0123456789abcdef', state: 'online', capacity: { max_vus: 500 } }] }),
};

before(async () => {
  server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://x');
    const key = `${req.method} ${pathname}`;
    let body = '';
    req.on('data', (piece) => (body += piece));
    req.on('end', () => {
      const request = { key, query: searchParams, headers: req.headers, body: body ? JSON.parse(body) : null };
      asked.push(request);
      const route = answers[key]?.shift() ?? routes[key];
      if (route) {
        route(res, request);
      } else {
        fail(res, 404, 'RUN_NOT_FOUND', `there is no run at ${pathname}`, { run_id: pathname.split('/')[2] });
      }
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

// Runs a word against the server, from an empty home directory.
function word(args, options = {}) {
  return mcpdrill(args, { ...options, env: environment(options.env) });
}

function environment(env = {}) {
  return { HOME: '/nonexistent', XDG_CONFIG_HOME: '', MCPDRILL_ENDPOINT: url, ...env };
}

// `later`: what the next requests are answered instead.
function fresh(later = {}) {
  asked = [];
  answers = later;
}

const keys = () => asked.map((one) => one.key);

test('create sends the document with everything applied, and prints the id alone', async () => {
  fresh();
  const file = writeScenario(SCENARIO);
  const end = await word(
    ['create', file, '--set', 'stages[0].load.target_vus=3', '--expect', 'error_rate < 1 %', '--name', 'night', '--tag', 'a=b'],
    { env: { MCPDRILL_ACTOR: 'fay' } },
  );
  assert.equal(end.code, 0, end.stderr);
  assert.equal(end.stdout, `${ID}\n`);
  assert.match(end.stderr, new RegExp(`created ${ID} at ${url}`));
  const { config, ...rest } = asked[0].body;
  assert.deepEqual(rest, { actor: 'fay', name: 'night', tags: { a: 'b' } });
  assert.equal(config.scenario_id, 'scenario'); // from the file's name, which the server does not know
  assert.equal(config.stages[0].load.target_vus, 3);
  assert.deepEqual(config.success_criteria, [{ metric: 'error_rate', comparator: '<', threshold: 0.01 }]);
  assert.equal(asked[0].headers['content-type'], 'application/json');
});

test('create sends the texts of data feeds, from the folder of the scenario', async () => {
  fresh();
  const dir = tempDir();
  mkdirSync(join(dir, 'data'));
  writeFileSync(join(dir, 'data', 'words.csv'), 'word\nöne\ntwo\n');
  const scenario = {
    ...SCENARIO,
    workload: {
      operation_mix: [{ operation: 'tools_call' }],
      tools: { templates: [{ template_id: 't', tool_name: 'fast_echo', arguments: { message: '${data:words.word}' } }] },
      data: [{ name: 'words', path: 'data/words.csv', format: 'csv' }],
    },
  };
  writeFileSync(join(dir, 's.json'), JSON.stringify(scenario));
  let end = await word(['create', join(dir, 's.json')]);
  assert.equal(end.code, 0, end.stderr);
  assert.deepEqual(asked[0].body.files, { 'data/words.csv': 'word\nöne\ntwo\n' });

  fresh();
  writeFileSync(join(dir, 'data', 'words.csv'), `word\n${'x'.repeat(60)}`.padEnd(10 * 1024 * 1024 + 1, '\nyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'));
  end = await word(['create', join(dir, 's.json')]);
  assert.equal(end.code, 2, end.stderr);
  assert.match(end.stderr, /data\/words\.csv: the data feeds are larger than 10485760 bytes/);
  assert.deepEqual(asked, []);
});

test('an invalid scenario is told here as validate tells it, and the control plane is not asked', async () => {
  fresh();
  const file = writeScenario({ ...SCENARIO, stages: [] });
  const here = await word(['create', file]);
  const validate = await mcpdrill(['validate', file]);
  assert.equal(here.code, 2);
  assert.ok(here.stderr.startsWith(validate.stderr), here.stderr);
  assert.deepEqual(asked, []);
});

test('what the control plane finds wrong is told in the same form', async () => {
  const issue = { level: 'error', code: 'TARGET_NOT_ALLOWED', message: 'no \u001b[31m', json_pointer: '/target/url', remediation: 'Do.' };
  fresh({
    'POST /runs': [(res) => fail(res, 400, 'VALIDATION_FAILED', 'the scenario has 1 error', { errors: [issue], warnings: [] })],
  });
  const file = writeScenario(SCENARIO);
  const end = await word(['create', file]);
  assert.equal(end.code, 2);
  assert.equal(end.stdout, '');
  const text = `${file}: error TARGET_NOT_ALLOWED at /target/url: no  [31m\n    Do.\nmcpdrill create: the scenario has 1 error (VALIDATION_FAILED)\n`;
  assert.ok(end.stderr.includes(text), end.stderr);
});

test('runs are named by id, by a unique beginning, and by last', async () => {
  for (const [name, id] of [[ID, ID], ['run_18ea4bd1a75e64f1', ID], ['18ea4bd1a75e64f2', OTHER], ['last', OTHER]]) {
    fresh();
    const end = await word(['status', name, '--json']);
    assert.equal(end.code, 0, end.stderr);
    assert.equal(JSON.parse(end.stdout).run_id, id);
  }
  fresh();
  let end = await word(['status', '18ea']);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /2 runs begin with "18ea": run_18ea4bd1a75e64f20002, run_18ea4bd1a75e64f10001/);
  end = await word(['status', 'ab']);
  assert.equal(end.code, 1);
  assert.match(end.stderr, /no run begins with "ab"/);
  fresh();
  end = await word(['status', '../x']);
  assert.equal(end.code, 2);
  assert.deepEqual(asked, []);
});

test('stop, emergency-stop, delete, list, workers', async () => {
  fresh();
  let end = await word(['stop', ID]);
  assert.equal(end.stdout, `${ID}: stopping\n`);
  assert.deepEqual(asked[0].body, { actor: 'user' }); // the scenario's own policy
  end = await word(['stop', ID, '--mode', 'immediate']);
  assert.equal(asked[1].body.mode, 'immediate');
  end = await word(['stop', ID, '--mode', 'now']);
  assert.equal(end.code, 2);
  end = await word(['emergency-stop', ID]);
  assert.equal(end.stdout, `${ID}: stopping\n`);
  end = await word(['delete', ID]);
  assert.equal(end.stdout, `${ID}: deleted\n`);
  assert.deepEqual(keys().slice(2), [`POST /runs/${ID}/emergency-stop`, `DELETE /runs/${ID}`]);

  fresh();
  end = await word(['list', '--state', 'created&x', '--limit', '1']);
  assert.equal(asked[0].query.get('state'), 'created&x');
  assert.match(end.stdout, /RUN +STATE[^]*run_18ea4bd1a75e64f20002 +created[^]*1 of 2; --limit shows more/);
  end = await word(['list', '--json']);
  assert.equal(JSON.parse(end.stdout).runs.length, 2);
  end = await word(['workers']);
  assert.match(end.stdout, /wkr_0123456789abcdef +online +- +500/);
});

test('clone sends what --set changes as a merge patch', async () => {
  fresh();
  const end = await word(['clone', ID, '--set', 'stages[0].duration_ms=7', '--set', 'workload.seed=9']);
  assert.equal(end.code, 0, end.stderr);
  assert.equal(end.stdout, `${OTHER}\n`);
  assert.deepEqual(asked.at(-1).body, {
    actor: 'user',
    overrides: { stages: [{ ...SCENARIO.stages[0], duration_ms: 7 }], workload: { seed: 9 } },
  });
  fresh();
  await word(['clone', ID]);
  assert.deepEqual(keys(), [`POST /runs/${ID}/clone`]);
});

test('events: all there are, as lines or as JSON', async () => {
  fresh();
  let end = await word(['events', ID]);
  assert.equal(end.code, 0, end.stderr);
  assert.match(
    end.stdout,
    /^06:28:49\.379 {2}RUN_CREATED +demo by user\n.* created → baseline_running \(start_run\)\n.* analyzing → completed \(analysis_completed\)\n$/,
  );
  assert.equal(asked[0].query.get('follow'), 'false');
  end = await word(['events', ID, '--json']);
  assert.deepEqual(end.stdout.trim().split('\n').map((line) => JSON.parse(line).event_id), ['evt_1', 'evt_2', 'evt_3']);
});

test('events --follow goes on behind the last event after the connection broke', async () => {
  const path = `GET /runs/${ID}/events`;
  fresh({
    [path]: [
      (res) => {
        streamOf(res, [EVENTS[0]]);
        setTimeout(() => res.destroy(), 50);
      },
      (res) => fail(res, 503, 'INTERNAL_ERROR', 'starting'),
      (res) => {
        streamOf(res, [EVENTS[1]]);
        res.end(); // a control plane that leaves, without the event that ends a run
      },
    ],
  });
  const end = await word(['events', ID, '--follow', '--json']);
  assert.equal(end.code, 0, end.stderr);
  assert.deepEqual(end.stdout.trim().split('\n').map((line) => JSON.parse(line).event_id), ['evt_1', 'evt_2', 'evt_3']);
  assert.deepEqual(asked.map((one) => one.headers['last-event-id']), [undefined, 'evt_1', 'evt_1', 'evt_2']);
  assert.match(end.stderr, /trying again[^]*is there again/);
});

test('start --wait shows events and summary, and exits as the run did', async () => {
  fresh();
  const file = join(tempDir(), 'result.json');
  const end = await word(['start', ID, '--wait', '--json', file]);
  assert.equal(end.code, 4, end.stderr);
  assert.match(end.stdout, /RUN_CREATED[^]*completed \(analysis_completed\)\n\n[^]*FAILED/i);
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).run_id, ID);
  assert.deepEqual(keys(), [`POST /runs/${ID}/start`, `GET /runs/${ID}/events`, `GET /runs/${ID}/result`]);
  const plain = await word(['start', ID]);
  assert.equal(plain.stdout, `${ID}: baseline_running\n`);
});

test('start --wait goes on when nobody reads any more: result and exit code are as ever', async () => {
  fresh({
    [`GET /runs/${ID}/events`]: [
      (res) => {
        streamOf(res, [EVENTS[0]]);
        setTimeout(() => res.end(EVENTS[1] + EVENTS[2] + END), 300);
      },
    ],
  });
  const file = join(tempDir(), 'result.json');
  const running = startMcpdrill(['start', ID, '--wait', '--json', file], { env: environment() });
  running.child.stdout.destroy();
  const end = await finished(running, 'start --wait');
  assert.equal(end.code, 4, end.stderr);
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).run_id, ID);
});

test('start without enough workers: the reason, its figures, and exit code 5', async () => {
  fresh({
    [`POST /runs/${ID}/start`]: [
      (res) => fail(res, 503, 'NO_CAPACITY', 'the workers have room for 0 VUs', { required_vus: 5, available_vus: 0 }),
    ],
  });
  const end = await word(['start', ID, '--wait']);
  assert.equal(end.code, 5);
  assert.match(end.stderr, /the workers have room for 0 VUs \(NO_CAPACITY\)\n {4}required_vus: 5\n {4}available_vus: 0\n/);
});

test('Ctrl-C ends the waiting, not the run', async () => {
  fresh({ [`GET /runs/${ID}/events`]: [(res) => streamOf(res, [EVENTS[0]])] });
  const running = startMcpdrill(['start', ID, '--wait'], { env: environment() });
  while (!running.stdout.includes('RUN_CREATED')) {
    await pause(20);
  }
  running.child.kill('SIGINT');
  const end = await finished(running, 'start --wait');
  assert.equal(end.code, 130, end.stderr);
  assert.match(end.stderr, new RegExp(`the run goes on; "mcpdrill stop ${ID}" ends it`));
  assert.ok(!keys().some((key) => key.endsWith('/stop')));
});

test('status --watch until the run is over, also while the control plane is started anew', async () => {
  const states = [{ state: 'soak_running' }, { state: 'completed', terminal: true, verdict: 'passed' }];
  const [first, ...rest] = states.map((state) => (res) => json(res, 200, view(ID, state)));
  const away = [(res) => res.destroy(), (res) => fail(res, 503, 'STARTING', 'not yet')];
  fresh({ [`GET /runs/${ID}`]: [first, ...away, ...rest] });
  const end = await word(['status', ID, '--watch']);
  assert.equal(end.code, 0, end.stderr);
  assert.match(end.stdout, /state +soak_running[^]*\n\nrun [^]*state +completed[^]*verdict +passed/);
  assert.match(end.stderr, /^.*; trying again for 120 s\n.* is there again\n$/);
});

test('watch: a line for each new second, and the summary', async () => {
  const began = 1795328930000;
  const bucket = (n) => ({
    timestamp: began + n * 1000,
    second: n,
    success_ops: 90,
    failed_ops: 10,
    throughput: 100,
    latency_p50: 1.5,
    latency_p95: 2,
    latency_p99: null,
    active_vus: 5,
    active_sessions: 5,
    in_flight: 4,
    events: 0,
  });
  const running = view(ID, { state: 'baseline_running', started_at_ms: began, updated_at_ms: began + 62000 });
  const over = { ...running, state: 'completed', terminal: true };
  const metrics = (...seconds) => (res) =>
    json(res, 200, { latency_is: 'response', time_series: seconds.map(bucket) });
  fresh({
    [`GET /runs/${ID}`]: [view(ID), running, over].map((one) => (res) => json(res, 200, one)),
    [`GET /runs/${ID}/metrics`]: [metrics(0, 1), metrics(2)],
  });
  const end = await word(['watch', ID]);
  assert.equal(end.code, 0, end.stderr);
  const line = (n, state) =>
    ` +${n} s {2}${state} +100/s {2}failed 10 \\(10 %\\) {2}R p50 1\\.5\\d* ms {2}p99 - {2}5 VUs {2}4 in flight\n`;
  assert.match(
    end.stdout,
    new RegExp(`^${line(1, 'baseline_running')}${line(2, 'baseline_running')}${line(3, 'completed')}\n[^]*failed`, 'i'),
  );
  const froms = asked.filter((one) => one.key.endsWith('/metrics')).map((one) => one.query.get('from'));
  assert.deepEqual(froms, [String(began + 2000), String(began + 1001)]); // at most what is shown
});

test('export writes a folder, once', async () => {
  fresh();
  const dir = join(tempDir(), 'out');
  let end = await word(['export', ID, dir]);
  assert.equal(end.code, 0, end.stderr);
  assert.equal(JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8')).run_id, ID);
  assert.equal(JSON.parse(readFileSync(join(dir, 'scenario.json'), 'utf8')).scenario_id, 'demo');
  assert.equal(readFileSync(join(dir, 'events.ndjson'), 'utf8').trim().split('\n').length, 3);
  end = await word(['export', ID, dir]);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /has a result\.json already; name another folder/);
});

test('where the control plane is: options in front and behind, the variable, the config file', async () => {
  const home = tempDir();
  mkdirSync(join(home, 'mcpdrill'));
  const config = join(home, 'mcpdrill', 'config.json');
  writeFileSync(config, JSON.stringify({ endpoint: url, actor: 'fay' }));
  const env = { XDG_CONFIG_HOME: home, MCPDRILL_ENDPOINT: '' };
  fresh();
  let end = await word(['stop', ID], { env });
  assert.equal(end.code, 0, end.stderr);
  assert.equal(asked[0].body.actor, 'fay');
  end = await word(['--actor=otto', '--endpoint', `${url}/`, 'stop', ID], { env: { MCPDRILL_ENDPOINT: 'http://127.0.0.1:9' } });
  assert.equal(end.code, 0, end.stderr);
  assert.equal(asked[1].body.actor, 'otto');
  writeFileSync(config, '{"endpont": 1}');
  end = await word(['list'], { env });
  assert.equal(end.code, 2);
  assert.match(end.stderr, new RegExp(`${config}: unknown member "endpont"; did you mean "endpoint"`));
});

test('nobody there, somebody else there, keys: exit codes and texts', async () => {
  fresh();
  let end = await word(['list', '--endpoint', 'http://127.0.0.1:9']);
  assert.equal(end.code, 3);
  assert.match(end.stderr, /cannot reach http:\/\/127\.0\.0\.1:9: Connection refused\n.*"mcpdrill server" starts one/);
  answers['GET /runs'] = [(res) => res.writeHead(404, { 'Content-Type': 'text/html' }).end('<html>')];
  end = await word(['list']);
  assert.equal(end.code, 3);
  assert.match(end.stderr, /does not answer as a control plane does: status 404, text\/html/);
  answers[`POST /runs/${ID}/stop`] = [
    (res) => fail(res, 409, 'TERMINAL_STATE', 'the run is over', { run_id: ID, current_state: 'completed' }),
  ];
  end = await word(['stop', ID]);
  assert.equal(end.code, 1);
  assert.match(end.stderr, /mcpdrill stop: the run is over \(TERMINAL_STATE\)\n[^]*current_state: completed/);
  end = await word(['list', '--api-key', 'secret']);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /--api-key is not supported yet/);
  end = await word(['list', '--endpoint', 'https://localhost:1']);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /https is not supported yet/);
});
